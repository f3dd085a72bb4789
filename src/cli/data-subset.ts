import { InvalidArgumentError } from 'commander';
import { parseSize } from '../domain/size.ts';
import type { DataSubset } from '../repository/repository.ts';
import { percentOf } from './number.ts';

/** Parts are told apart by one byte. */
const MAX_PARTS = 256;

/** `2/5`, `10%`, `2.5%`, `500M`. */
export function parseDataSubset(text: string): DataSubset {
  const subset = partOf(text) ?? shareOf(text) ?? bytesOf(text);
  if (subset !== undefined) return subset;
  throw new InvalidArgumentError(
    `Write it as 2/5 (up to ${MAX_PARTS} parts), as 10% (more than 0, at most 100), or as a size such as 500M.`,
  );
}

function partOf(text: string): DataSubset | undefined {
  const [, part = 0, parts = 0] = (/^(\d+)\/(\d+)$/.exec(text) ?? []).map(Number);
  return part >= 1 && part <= parts && parts <= MAX_PARTS ? { part, parts } : undefined;
}

function shareOf(text: string): DataSubset | undefined {
  const percent = percentOf(text);
  return percent !== undefined && percent > 0 && percent <= 100 ? { percent } : undefined;
}

function bytesOf(text: string): DataSubset | undefined {
  const bytes = parseSize(text) ?? 0;
  return bytes > 0 ? { bytes } : undefined;
}
