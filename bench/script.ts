/** What the measurements beside `bench.ts` have in common: their options, and how they are ended. */
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';

export interface ScriptOptions {
  /** Of the data; what its unit is, the script says. */
  readonly size: number;
  readonly runs: number;
  /** Where data and repositories are made, and removed. */
  readonly folder: string;
  readonly writeDocs: boolean;
}

/** @param size the option's name and its default */
export async function runScript(
  [name, usual]: readonly [name: string, usual: number],
  main: (options: ScriptOptions, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { values } = parseArgs({
    options: {
      [name]: { type: 'string', default: String(usual) },
      runs: { type: 'string', default: '5' },
      folder: { type: 'string', default: tmpdir() },
      'write-docs': { type: 'boolean', default: false },
    },
  });
  const abort = new AbortController();
  process.once('SIGINT', () => abort.abort(new Error('ended by SIGINT')));
  const { runs, folder, 'write-docs': writeDocs } = values;
  await main({ size: Number(values[name]), runs: Number(runs), folder, writeDocs }, abort.signal);
}
