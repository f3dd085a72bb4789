import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Row, ROWS } from './rows.ts';
import type { ToolName } from './tools/tool.ts';

export interface Options {
  /** In the order of {@link ROWS}. */
  readonly rows: readonly Row[];
  readonly tools: readonly ToolName[];
  readonly runs: number;
  /** 1: the sizes that the rows' titles tell. */
  readonly scale: number;
  /** Where a folder for the data is made. */
  readonly folder: string;
  /** Where results are kept. */
  readonly results: string;
  /** A `bin/respaldo.js` to measure instead of what is compiled from these sources. */
  readonly program?: string;
  readonly json: boolean;
  readonly keep: boolean;
  readonly profile: boolean;
  readonly writeDocs: boolean;
}

export const USAGE = `usage: npm run bench -- [options]

Compares the compiled program with the newest restic on the PATH, and with borg if it is installed.

  --row <name>       measure only this row (repeatable): ${ROWS.map(({ name }) => name).join(', ')}
  --tool <name>      measure only this tool (repeatable): respaldo, restic, borg
  --runs <n>         runs of each tool, of which the median counts; default 3
  --scale <share>    of the full sizes; default 0.1
  --folder <folder>  where data and repositories are made, and removed; default: the system's for temporary files
  --results <folder> where figures are kept; default: bench/results
  --program <file>   measure this bin/respaldo.js instead of these sources
  --profile          run ours once more, and tell where its processor time goes
  --json             print figures as JSON
  --keep             leave the data where it is
  --write-docs       put the table of the figures kept at this scale into docs/performance.md; measure only --row
  --help             print this`;

const TOOLS: readonly ToolName[] = ['respaldo', 'restic', 'borg'];

/** @throws Error that says what is wrong; undefined if help was asked for */
export function parseOptions(argv: readonly string[]): Options | undefined {
  const text = { type: 'string' } as const;
  const list = { type: 'string', multiple: true } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      ...{ row: list, tool: list, runs: text, scale: text, folder: text, results: text, program: text },
      ...{ profile: flag, json: flag, keep: flag, 'write-docs': flag, help: flag },
    },
  });
  if (values.help) return undefined;
  const { folder = tmpdir(), results = join(import.meta.dirname, 'results'), program } = values;
  const writeDocs = values['write-docs'];
  // With nothing but this, the documents are brought up to date with figures that are there.
  const names = values.row ?? (writeDocs ? [] : ROWS.map(({ name }) => name));
  return {
    rows: chosen('row', names, ROWS, ({ name }) => name),
    tools: chosen('tool', values.tool ?? TOOLS, TOOLS, (name) => name),
    runs: positive('runs', values.runs ?? '3', /^[1-9]\d*$/),
    scale: positive('scale', values.scale ?? '0.1', /^\d*\.?\d+$/),
    folder: resolve(folder),
    results: resolve(results),
    ...(program !== undefined && { program: resolve(program) }),
    ...{ json: values.json, keep: values.keep, profile: values.profile, writeDocs },
  };
}

function chosen<T>(what: string, wanted: readonly string[], all: readonly T[], nameOf: (item: T) => string): T[] {
  const unknown = wanted.find((name) => !all.some((item) => nameOf(item) === name));
  if (unknown !== undefined) throw new Error(`there is no ${what} ${unknown}: choose of ${all.map(nameOf).join(', ')}`);
  return all.filter((item) => wanted.includes(nameOf(item)));
}

function positive(name: string, text: string, form: RegExp): number {
  const value = Number(text);
  if (!form.test(text) || !(value > 0)) throw new Error(`--${name} ${text} is not a positive number`);
  return value;
}
