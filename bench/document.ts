/** The table in docs/performance.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../scripts/tool.ts';
import type { Results } from './results.ts';
import { renderTable } from './table.ts';

const DOCUMENT = join(root, 'docs/performance.md');

/** Puts the table of these results where the last one is. */
export function writeTable(results: Results): void {
  const measured = Object.values(results.rows);
  if (measured.length === 0)
    throw new Error(`nothing was measured at scale ${results.scale}: there is no table to write`);
  const days = measured.map((row) => row.measured.slice(0, 10)).sort();
  const versions = new Map(measured.flatMap((row) => Object.entries(row.versions)));
  const caption = [
    `Scale ${results.scale}, ${days[0] === days.at(-1) ? days[0] : `${days[0]} to ${days.at(-1)}`}`,
    Array.from(versions, ([name, version]) => `${name} ${version}`).join(', '),
    [...new Set(measured.map(({ machine }) => machine))].join('; '),
  ];
  replaceBlock('table', `${renderTable(results)}\n\n${caption.join('. ')}.`);
}

/** Replaces what stands between two comments that name the block. */
export function replaceBlock(name: string, text: string): void {
  const document = readFileSync(DOCUMENT, 'utf8');
  const [begin, end] = [`<!-- begin ${name} -->\n`, `<!-- end ${name} -->`];
  const [start, stop] = [document.indexOf(begin), document.indexOf(end)];
  if (start < 0 || stop < start) throw new Error(`${DOCUMENT} has no block ${name}`);
  writeFileSync(DOCUMENT, `${document.slice(0, start + begin.length)}\n${text}\n\n${document.slice(stop)}`);
}
