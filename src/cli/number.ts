import { InvalidArgumentError } from 'commander';
import { parseSize } from '../domain/size.ts';

/** For options that take a whole number above 0. */
export function positive(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new InvalidArgumentError('It must be a whole number above 0.');
}

/** For options that take a number of bytes. */
export function byteCount(text: string): number {
  const size = parseSize(text);
  if (size !== undefined) return size;
  throw new InvalidArgumentError('Write it as 500, 10K, 500M, 2G or 1T.');
}

/** The number before a `%` sign, or undefined. */
export function percentOf(text: string): number | undefined {
  const [, digits] = /^(\d+(?:\.\d+)?)%$/.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits);
}
