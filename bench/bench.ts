/** Compares the program with others, as whole processes: `npm run bench`. See README.md beside this file. */
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/clock.ts';
import { pathOf } from './datasets.ts';
import { writeTable } from './document.ts';
import { Ground } from './ground.ts';
import { type Options, parseOptions, USAGE } from './options.ts';
import { profiled, readShares } from './profile.ts';
import { installProgram } from './program.ts';
import { readResults, type Results, type RowResult, writeResults } from './results.ts';
import type { Row } from './rows.ts';
import { runRow } from './run-row.ts';
import { neededSpace, requireSpace } from './space.ts';
import { summarize } from './summary.ts';
import { renderTable } from './table.ts';
import { findTools } from './tools/index.ts';
import type { Command, Tool } from './tools/tool.ts';

/** Functions of a profile that are told. */
const TOLD = 15;

async function main(options: Options, signal: AbortSignal): Promise<void> {
  requireSpace(options.folder, neededSpace(options.rows, options.tools.length, options.runs, options.scale));
  if (options.rows.length > 0) report(options, await measureRows(options, signal));
  if (options.writeDocs) writeTable(readResults(options.results, options.scale));
}

async function measureRows(options: Options, signal: AbortSignal): Promise<Results> {
  const ground = await Ground.prepare(options.folder, signal);
  try {
    const all = await findTools(options.program ?? (await installProgram(join(ground.folder, 'program'))));
    const [respaldo] = all;
    await ground.makeEmpty(respaldo);
    const tools = all.filter(({ name }) => options.tools.includes(name));
    const rows: Record<string, RowResult> = {};
    for (const [n, row] of options.rows.entries()) {
      note(`${row.name}: ${row.title}`);
      try {
        await provide(row, options, ground, respaldo);
        rows[row.name] = await measureRow(row, options, ground, tools);
        writeResults(options.results, { scale: options.scale, rows });
      } catch (error) {
        signal.throwIfAborted();
        // The other rows are worth their time all the same.
        fail(error);
      }
      if (!options.rows.slice(n + 1).some(({ data }) => data === row.data)) await ground.drop(row.data.name);
    }
    return { scale: options.scale, rows };
  } finally {
    if (options.keep) note(`everything is left in ${ground.folder}`);
    else await ground.remove();
  }
}

/** Makes the row's data unless an earlier row has. */
async function provide({ data }: Row, { scale }: Options, ground: Ground, respaldo: Tool): Promise<void> {
  if (ground.has(data.name)) return;
  note(`  making ${data.name}`);
  await data.make(join(ground.folder, data.name), scale, ground, respaldo);
}

async function measureRow(row: Row, options: Options, ground: Ground, tools: readonly Tool[]): Promise<RowResult> {
  const measured = systemClock.now().toISOString();
  const samples = await runRow(row, {
    ground,
    tools,
    data: pathOf(row.data, ground.folder),
    scale: options.scale,
    runs: options.runs,
    onSample: ({ name }, run, { wall, cpu, memory }) =>
      note(
        `  ${name.padEnd(9)}${run + 1}: ${wall.toFixed(2)} s, CPU ${cpu.toFixed(2)} s, ${(memory / 1e6).toFixed(0)} MB`,
      ),
    ...(options.profile && { inspect: (command: Command) => tellProfile(command, ground) }),
  });
  return {
    measured,
    machine: describeMachine(),
    versions: Object.fromEntries(tools.map(({ name, version }) => [name, version])),
    ...summarize(samples, row.data.blobs?.(options.scale)),
  };
}

/** Runs the command once more under the profiler. */
async function tellProfile(command: Command, ground: Ground): Promise<void> {
  const folder = join(ground.folder, 'profile');
  await ground.run(profiled(command, folder));
  const shares = readShares(folder);
  const total = shares.reduce((sum, { seconds }) => sum + seconds, 0);
  for (const { place, seconds } of shares.slice(0, TOLD))
    note(`  ${seconds.toFixed(2).padStart(8)} s ${((100 * seconds) / total).toFixed(1).padStart(5)} %  ${place}`);
  await ground.drop('profile');
}

function report({ json }: Options, results: Results): void {
  console.log(json ? JSON.stringify(results, undefined, 2) : renderTable(results));
}

function describeMachine(): string {
  const [first] = cpus();
  return `2 cores of ${first?.model ?? 'an unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
}

/** What goes on, beside the figures. */
function note(text: string): void {
  console.error(text);
}

function fail(error: unknown): void {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

const abort = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => abort.abort(new Error(`the bench was ended by ${name}`)));
try {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) console.log(USAGE);
  else await main(options, abort.signal);
} catch (error) {
  fail(error);
}
