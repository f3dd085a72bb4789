/**
 * An archive of PostgreSQL beside each of its stages alone: `node bench/archives.ts`, with `--scale` (pgbench's, by default
 * 100), `--runs`, `--folder` and `--write-docs` as in the bench. A pipeline can be no faster than its slowest stage, and
 * than all of them together on the cores that there are: the larger of these is what the whole is compared with.
 */
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Cluster, DEBIAN_15, debianBinaries } from '../test/fixtures/postgres.ts';
import { gpgHome, makeGpgKey } from '../test/fixtures/gpg.ts';
import { replaceBlock } from './document.ts';
import { Ground } from './ground.ts';
import type { Sample } from './measure.ts';
import { installProgram } from './program.ts';
import { median } from './summary.ts';
import { runScript, type ScriptOptions } from './script.ts';
import { ServerTime } from './server-time.ts';
import { align } from './table.ts';
import type { Command } from './tools/tool.ts';

const STEPS = ['gzip', 'zstd'] as const;
const STAGE = join(import.meta.dirname, 'archive-stage.ts');

/** The whole may take so many times as long as its slowest stage. */
const BAR = 1.1;
const DUMP = 'pg_dump alone';

interface Measured {
  readonly name: string;
  readonly command: Command;
}

/** With the seconds of processor time that the server took meanwhile. */
type Timed = Pick<Sample, 'wall' | 'cpu'> & { readonly server: number };

async function main({ size: scale, runs, folder, writeDocs }: ScriptOptions, signal: AbortSignal): Promise<void> {
  const ground = await Ground.prepare(folder, signal);
  const cluster = await Cluster.create(await debianBinaries());
  await using ring = await gpgHome();
  try {
    makeGpgKey(ring.home, 'Bench <bench@example.com>');
    await cluster.start();
    const server = new ServerTime(cluster.data);
    await ground.run(client(cluster, 'pgbench', '-i', '-q', '-s', String(scale), 'postgres'));
    const program = await installProgram(join(ground.folder, 'program'));
    const samples = await measureAll(await contenders(cluster, program, ring.home, ground), server, ground, runs);
    const medians = new Map(Array.from(samples, ([name, of]) => [name, medianOf(of)]));
    const caption = `pgbench at scale ${scale}; medians of ${runs} runs each, in turn; ${availableParallelism()} cores.`;
    const text = [render(medians), '', ...STEPS.map((step) => judged(step, medians)), '', caption].join('\n');
    console.log(text);
    if (writeDocs) replaceBlock('archives', text);
  } finally {
    await cluster.remove();
    await ground.remove();
  }
}

async function contenders(cluster: Cluster, program: string, home: string, ground: Ground): Promise<Measured[]> {
  const dump = join(ground.folder, 'dump.sql');
  await ground.run(shell(cluster, `pg_dump postgres > ${dump}`));
  const stage = (...argv: string[]): string => [process.execPath, STAGE, ...argv].join(' ');
  const all: Measured[] = [{ name: DUMP, command: shell(cluster, 'pg_dump postgres > /dev/null') }];
  for (const name of STEPS) {
    const packed = join(ground.folder, `dump.${name}`);
    await ground.run(shell(cluster, `${name} < ${dump} > ${packed}`));
    const config = join(ground.folder, `${name}.yaml`);
    await writeFile(config, configOf(cluster, name, home, ground.folder));
    all.push(
      { name: stages(name).compressor, command: shell(cluster, `${stage('compress', name)} < ${dump}`) },
      { name: stages(name).gpg, command: shell(cluster, `${stage('encrypt', home)} < ${packed}`) },
      {
        name: stages(name).store,
        command: shell(cluster, `${stage('store', join(ground.folder, 'run'))} < ${packed}`),
      },
      {
        name: whole(name),
        command: client(cluster, process.execPath, program, 'backup', 'bench', '--config', config, '--quiet'),
      },
    );
    const tool = { gzip: 'gzip', zstd: 'zstd -T0' }[name];
    const key = `gpg --homedir ${home} --batch --trust-model always -z 0 -r bench@example.com -e`;
    const pipe = `pg_dump postgres | ${tool} | ${key} > ${join(ground.folder, 'by-hand')}`;
    all.push({ name: `pg_dump \\| ${tool} \\| gpg`, command: shell(cluster, pipe) });
  }
  return all;
}

function configOf(cluster: Cluster, compression: string, home: string, folder: string): string {
  return JSON.stringify({
    archives: { here: { url: join(folder, 'run'), compression, encryption: 'key' } },
    encryptions: { key: { gpg: { recipients: ['bench@example.com'], home } } },
    plans: { bench: { source: `${cluster.address.replace('method=physical', '')}method=logical`, archives: 'here' } },
  });
}

/** A program that finds the server by its environment. */
function client(cluster: Cluster, ...argv: string[]): Command {
  const path = [DEBIAN_15, process.env['PATH'] ?? ''].join(':');
  return { argv, env: { PATH: path, PGHOST: cluster.folder, PGPORT: String(cluster.port), PGUSER: 'postgres' } };
}

function shell(cluster: Cluster, line: string): Command {
  return client(cluster, 'sh', '-c', line);
}

async function measureAll(
  all: readonly Measured[],
  server: ServerTime,
  ground: Ground,
  runs: number,
): Promise<ReadonlyMap<string, readonly Timed[]>> {
  const samples = new Map<string, Timed[]>(all.map(({ name }) => [name, []]));
  for (let run = 0; run < runs; run++) {
    for (const { name, command } of all) {
      const before = await server.now();
      const { wall, cpu } = await ground.measure(command);
      const theirs = (await server.now()) - before;
      samples.get(name)?.push({ wall, cpu, server: theirs });
      const times = `${wall.toFixed(2)} s, CPU ${cpu.toFixed(2)} s, the server's ${theirs.toFixed(2)} s`;
      console.error(`${name.padEnd(48)}${run + 1}: ${times}`);
      await ground.drop('run');
    }
  }
  return samples;
}

function medianOf(samples: readonly Timed[]): Timed {
  const of = (pick: (sample: Timed) => number): number => median(samples.map(pick));
  return { wall: of(({ wall }) => wall), cpu: of(({ cpu }) => cpu), server: of(({ server }) => server) };
}

/** What the stages behind the dump are called. */
function stages(step: string) {
  return { compressor: `${step} alone`, gpg: `gpg alone, after ${step}`, store: `store alone, after ${step}` };
}

function whole(step: string): string {
  return `respaldo backup: dump, ${step}, gpg, store`;
}

/** How the whole compares with the slowest stage, and with what all of them need on these cores. */
function judged(step: string, medians: ReadonlyMap<string, Timed>): string {
  const { compressor, gpg, store } = stages(step);
  const alone = [DUMP, compressor, gpg, store].flatMap((name) => {
    const found = medians.get(name);
    return found === undefined ? [] : [{ name, ...found }];
  });
  const ours = medians.get(whole(step))?.wall ?? NaN;
  const slowest = alone.reduce((a, b) => (a.wall >= b.wall ? a : b));
  const together = alone.reduce((sum, { cpu, server }) => sum + cpu + server, 0) / availableParallelism();
  const least = Math.max(slowest.wall, together);
  const verdict = ours <= BAR * least ? 'reached' : '**missed**';
  return [
    `- By ${step} the whole takes ${(ours / slowest.wall).toFixed(2)} times as long as its slowest stage, ${slowest.name}`,
    `(${slowest.wall.toFixed(2)} s), and ${(ours / least).toFixed(2)} times as long as is possible here: the processor`,
    `time of the stages would take ${together.toFixed(2)} s of all cores. The bar of ${BAR} is ${verdict}.`,
  ].join('\n  ');
}

function render(medians: ReadonlyMap<string, Timed>): string {
  const rows = Array.from(medians, ([name, { wall, cpu, server }]) => [
    name,
    wall.toFixed(2),
    cpu.toFixed(2),
    server.toFixed(2),
  ]);
  return align([['stage', 'wall s', 'CPU s', 'server’s CPU s'], ...rows]);
}

await runScript(['scale', 100], main);
