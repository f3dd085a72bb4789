/**
 * An archive of PostgreSQL beside each of its stages alone: `node bench/archives.ts`, with `--scale` (pgbench's, by default
 * 50), `--runs`, `--folder` and `--write-docs` as in the bench. A pipeline can be no faster than its slowest stage, and
 * than all of them together on the cores that there are.
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
import { align } from './table.ts';
import type { Command } from './tools/tool.ts';

const STEPS = ['gzip', 'zstd'] as const;
const STAGE = join(import.meta.dirname, 'archive-stage.ts');

interface Measured {
  readonly name: string;
  readonly command: Command;
}

async function main({ size: scale, runs, folder, writeDocs }: ScriptOptions, signal: AbortSignal): Promise<void> {
  const ground = await Ground.prepare(folder, signal);
  const cluster = await Cluster.create(await debianBinaries());
  await using ring = await gpgHome();
  try {
    makeGpgKey(ring.home, 'Bench <bench@example.com>');
    await cluster.start();
    await ground.run(client(cluster, 'pgbench', '-i', '-q', '-s', String(scale), 'postgres'));
    const program = await installProgram(join(ground.folder, 'program'));
    const samples = await measureAll(await contenders(cluster, program, ring.home, ground), ground, runs);
    const text = render(
      samples,
      `pgbench at scale ${scale}; medians of ${runs} runs each, in turn; ${availableParallelism()} cores.`,
    );
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
  const all: Measured[] = [{ name: 'pg_dump alone', command: shell(cluster, 'pg_dump postgres > /dev/null') }];
  for (const name of STEPS) {
    const packed = join(ground.folder, `dump.${name}`);
    await ground.run(shell(cluster, `${name} -1 < ${dump} > ${packed}`));
    const config = join(ground.folder, `${name}.yaml`);
    await writeFile(config, configOf(cluster, name, home, ground.folder));
    all.push(
      { name: `${name} alone`, command: shell(cluster, `${stage('compress', name)} < ${dump}`) },
      { name: `gpg alone, after ${name}`, command: shell(cluster, `${stage('encrypt', home)} < ${packed}`) },
      {
        name: `store alone, after ${name}`,
        command: shell(cluster, `${stage('store', join(ground.folder, 'run'))} < ${packed}`),
      },
      {
        name: `respaldo backup: pg_dump, ${name}, gpg, store`,
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
  ground: Ground,
  runs: number,
): Promise<ReadonlyMap<string, readonly Sample[]>> {
  const samples = new Map<string, Sample[]>(all.map(({ name }) => [name, []]));
  for (let run = 0; run < runs; run++) {
    for (const { name, command } of all) {
      const sample = await ground.measure(command);
      samples.get(name)?.push(sample);
      console.error(`${name.padEnd(48)}${run + 1}: ${sample.wall.toFixed(2)} s, CPU ${sample.cpu.toFixed(2)} s`);
      await ground.drop('run');
    }
  }
  return samples;
}

function render(samples: ReadonlyMap<string, readonly Sample[]>, caption: string): string {
  const rows = Array.from(samples, ([name, of]) => [
    name,
    median(of.map(({ wall }) => wall)).toFixed(2),
    median(of.map(({ cpu }) => cpu)).toFixed(2),
  ]);
  return [align([['stage', 'wall s', 'CPU s'], ...rows]), '', caption].join('\n');
}

await runScript(['scale', 50], main);
