/**
 * A logical backup of PostgreSQL beside what people do without us: `node bench/dumps.ts`, with `--scale` (pgbench's, by
 * default 50), `--runs`, `--folder` and `--write-docs` as in the bench. The server's own processor time is not counted.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Cluster, DEBIAN_15, debianBinaries } from '../test/fixtures/postgres.ts';
import { replaceBlock } from './document.ts';
import { Ground } from './ground.ts';
import type { Sample } from './measure.ts';
import { installProgram } from './program.ts';
import { median } from './summary.ts';
import { align } from './table.ts';
import { findTools } from './tools/index.ts';
import type { Command, Place, Tool } from './tools/tool.ts';

/** What is measured. `folder` is empty, `place` a new repository. */
interface Contender {
  readonly name: string;
  readonly command: (folder: string, place: Place) => Command;
}

interface Options {
  readonly scale: number;
  readonly runs: number;
  readonly folder: string;
  readonly writeDocs: boolean;
}

async function main({ scale, runs, folder, writeDocs }: Options, signal: AbortSignal): Promise<void> {
  const ground = await Ground.prepare(folder, signal);
  const cluster = await Cluster.create(await debianBinaries());
  try {
    const tools = await findTools(await installProgram(join(ground.folder, 'program')));
    await ground.makeEmpty(tools[0]);
    await cluster.start();
    await ground.run(client(cluster, 'pgbench', '-i', '-q', '-s', String(scale), 'postgres'));
    const text = render(
      await measureAll(contenders(cluster, tools), tools[0], ground, runs),
      `pgbench at scale ${scale}; medians of ${runs} runs each, in turn.`,
    );
    console.log(text);
    if (writeDocs) replaceBlock('dumps', text);
  } finally {
    await cluster.remove();
    await ground.remove();
  }
}

function contenders(cluster: Cluster, [respaldo, ...others]: readonly [Tool, ...Tool[]]): Contender[] {
  const address = cluster.address.replace('method=physical', 'method=logical');
  const dump = (name: string, ...options: string[]): Contender => ({
    name,
    command: (folder) => client(cluster, 'pg_dump', '-Fd', '-j2', ...options, '-f', join(folder, 'dump'), 'postgres'),
  });
  const restic = others.find(({ name }) => name === 'restic');
  return [
    {
      name: 'respaldo backup',
      command: (_, place) => respaldo.command({ kind: 'backup', name: 'first', source: address }, place),
    },
    dump('pg_dump -Fd -j2'),
    dump('pg_dump -Fd -j2 -Z0'),
    ...(restic === undefined ? [] : [piped(cluster, restic)]),
  ];
}

function piped(cluster: Cluster, restic: Tool): Contender {
  return {
    name: 'pg_dump | restic backup --stdin',
    command: (_, place) => {
      const { argv, env } = restic.command({ kind: 'backup-stream', input: '' }, place);
      const dump = client(cluster, 'pg_dump', 'postgres');
      return { argv: ['sh', '-c', `pg_dump postgres | "$@"`, 'sh', ...argv], env: { ...dump.env, ...env } };
    },
  };
}

/** A program of PostgreSQL's, which finds the server by its environment. */
function client(cluster: Cluster, ...argv: string[]): Command {
  const path = [DEBIAN_15, process.env['PATH'] ?? ''].join(':');
  return { argv, env: { PATH: path, PGHOST: cluster.folder, PGPORT: String(cluster.port), PGUSER: 'postgres' } };
}

async function measureAll(
  all: readonly Contender[],
  respaldo: Tool,
  ground: Ground,
  runs: number,
): Promise<Map<string, Sample[]>> {
  const samples = new Map<string, Sample[]>(all.map(({ name }) => [name, []]));
  for (let run = 0; run < runs; run++) {
    for (const { name, command } of all) {
      const folder = join(ground.folder, 'run');
      const place = await ground.newPlace(respaldo, folder);
      const sample = await ground.measure(command(folder, place));
      samples.get(name)?.push(sample);
      console.error(`${name.padEnd(32)}${run + 1}: ${sample.wall.toFixed(2)} s, CPU ${sample.cpu.toFixed(2)} s`);
      await ground.drop('run');
    }
  }
  return samples;
}

function render(samples: ReadonlyMap<string, readonly Sample[]>, caption: string): string {
  const medians = Array.from(samples, ([name, of]) => ({
    name,
    wall: median(of.map(({ wall }) => wall)),
    cpu: median(of.map(({ cpu }) => cpu)),
  }));
  const ours = medians[0];
  const rows = medians.map(({ name, wall, cpu }) => [
    `\`${name.replace('|', '\\|')}\``,
    wall.toFixed(2),
    (wall / (ours?.wall ?? NaN)).toFixed(2),
    cpu.toFixed(2),
  ]);
  return [align([['backup', 'wall s', '÷ ours', 'CPU s'], ...rows]), '', caption].join('\n');
}

const { values } = parseArgs({
  options: {
    scale: { type: 'string', default: '50' },
    runs: { type: 'string', default: '5' },
    folder: { type: 'string', default: tmpdir() },
    'write-docs': { type: 'boolean', default: false },
  },
});
const abort = new AbortController();
process.once('SIGINT', () => abort.abort(new Error('ended by SIGINT')));
const { scale, runs, folder, 'write-docs': writeDocs } = values;
await main({ scale: Number(scale), runs: Number(runs), folder, writeDocs }, abort.signal);
