import type { Command } from 'commander';
import { openRunCatalog } from '../../compose.ts';
import type { RunOutcome, RunRecord } from '../../catalog/catalog.ts';
import { describe } from '../help.ts';
import type { Invocation } from '../invocation.ts';
import { positive } from '../number.ts';
import type { Output } from '../output.ts';
import { harmless, quoted } from '../printable.ts';
import { renderTable, type Column } from '../table.ts';
import { count, formatBytes, formatDuration, formatTime } from '../units.ts';
import { shortId } from '../views/snapshot.ts';

interface Options {
  readonly limit: number;
}

const COLORS = { succeeded: 'green', incomplete: 'yellow', failed: 'red', cancelled: 'yellow' } as const;

export function define(command: Command, invocation: Invocation): void {
  describe(command, {
    about:
      'The list lies on this machine (RESPALDO_STATE_DIR, else the state folder of the user) and is a memory only: ' +
      'nothing is lost for a restore when it is deleted.',
    examples: [
      ['respaldo runs', 'the last 20'],
      ['respaldo runs shop --limit 3', 'the last three of a plan'],
    ],
  })
    .argument('[subject]', "a plan's name, or what a run was about, as this list shows it")
    .option('-n, --limit <n>', 'how many', positive, 20)
    .action((subject: string | undefined, { limit }: Options) => list(subject, limit, invocation));
}

async function list(subject: string | undefined, limit: number, { output }: Invocation): Promise<void> {
  const catalog = await openRunCatalog(process.env, (message) => output.warn(message));
  try {
    const runs = await catalog.runs({ limit, ...(subject !== undefined && { subject }) });
    output.json(runs);
    output.result(runs.length === 0 ? 'nothing was run yet' : table(runs, output));
  } finally {
    catalog.close();
  }
}

function table(runs: readonly RunRecord[], output: Output): string {
  const rows = runs.map(({ startedAt, operation, subject, outcome }) => [
    formatTime(startedAt),
    operation,
    state(outcome, output),
    outcome === undefined ? '' : formatDuration(outcome.finishedAt.getTime() - startedAt.getTime()),
    outcome?.bytesProcessed === undefined ? '' : formatBytes(outcome.bytesProcessed, 1),
    outcome?.bytesAdded === undefined ? '' : formatBytes(outcome.bytesAdded, 1),
    outcome?.snapshot === undefined ? '' : shortId(outcome.snapshot),
    quoted(subject),
  ]);
  const errors = runs.flatMap(({ startedAt, operation, outcome }) =>
    outcome?.error === undefined ? [] : [`${formatTime(startedAt)} ${operation}: ${harmless(outcome.error)}`],
  );
  return [renderTable(COLUMNS, rows, output.room), count(runs.length, 'run'), ...errors].join('\n');
}

const COLUMNS: readonly Column[] = [
  { title: 'Started' },
  { title: 'Run' },
  { title: 'Result' },
  { title: 'Took', align: 'right' },
  { title: 'Bytes', align: 'right' },
  { title: 'Stored', align: 'right' },
  { title: 'Snapshot' },
  { title: 'Of', flexible: true },
];

/** A run without an outcome goes on, or its process was killed. */
function state(outcome: RunOutcome | undefined, output: Output): string {
  return outcome === undefined ? 'no end' : output.style(COLORS[outcome.state], outcome.state);
}
