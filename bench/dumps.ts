/**
 * Logical backups of PostgreSQL beside what people do without us: `node bench/dumps.ts`, with `--scale` (pgbench's, by
 * default 50; the other databases grow with it), `--runs`, `--folder` and `--write-docs` as in the bench. The server's own
 * processor time is not counted.
 */
import { join } from 'node:path';
import { Cluster, DEBIAN_15, debianBinaries } from '../test/fixtures/postgres.ts';
import { measureAll, render, type Contender } from './contest.ts';
import { replaceBlock } from './document.ts';
import { dumpedDatabases } from './dumped-databases.ts';
import { Ground } from './ground.ts';
import { installProgram } from './program.ts';
import { runScript, type ScriptOptions } from './script.ts';
import { findTools } from './tools/index.ts';
import type { Command, Tool } from './tools/tool.ts';

async function main({ size: scale, runs, folder, writeDocs }: ScriptOptions, signal: AbortSignal): Promise<void> {
  const ground = await Ground.prepare(folder, signal);
  const cluster = await Cluster.create(await debianBinaries());
  try {
    const tools = await findTools(await installProgram(join(ground.folder, 'program')));
    await ground.makeEmpty(tools[0]);
    await cluster.start();
    const texts: string[] = [];
    for (const { name, about, fill } of dumpedDatabases(scale)) {
      await cluster.query(`CREATE DATABASE ${name}`);
      await ground.run(client(cluster, ...fill, name));
      const samples = await measureAll(contenders(cluster, name, tools), tools[0], ground, runs);
      const text = render(samples, `${about}; medians of ${String(runs)} runs each, in turn.`);
      console.log(`${text}\n`);
      texts.push(text);
      await cluster.query(`DROP DATABASE ${name}`);
    }
    if (writeDocs) replaceBlock('dumps', texts.join('\n\n'));
  } finally {
    await cluster.remove();
    await ground.remove();
  }
}

function contenders(
  cluster: Cluster,
  database: string,
  [respaldo, ...others]: readonly [Tool, ...Tool[]],
): Contender[] {
  const address = cluster.address.replace('/?', `/${database}?`).replace('method=physical', 'method=logical');
  const restic = others.find(({ name }) => name === 'restic');
  return [
    {
      name: 'respaldo backup',
      command: (_, place) => respaldo.command({ kind: 'backup', name: 'first', source: address }, place),
    },
    {
      name: 'pg_dump -Fd -j2',
      command: (folder) => client(cluster, 'pg_dump', '-Fd', '-j2', '-f', join(folder, 'dump'), database),
    },
    ...(restic === undefined ? [] : [piped(cluster, database, restic)]),
  ];
}

function piped(cluster: Cluster, database: string, restic: Tool): Contender {
  return {
    name: 'pg_dump | restic backup --stdin',
    command: (_, place) => {
      const { argv, env } = restic.command({ kind: 'backup-stream', input: '' }, place);
      const dump = client(cluster, 'pg_dump', database);
      return {
        argv: ['sh', '-c', 'database=$1; shift; pg_dump "$database" | "$@"', 'sh', database, ...argv],
        env: { ...dump.env, ...env },
      };
    },
  };
}

/** A program of PostgreSQL's, which finds the server by its environment. */
function client(cluster: Cluster, ...argv: string[]): Command {
  const path = [DEBIAN_15, process.env['PATH'] ?? ''].join(':');
  return { argv, env: { PATH: path, PGHOST: cluster.folder, PGPORT: String(cluster.port), PGUSER: 'postgres' } };
}

await runScript(['scale', 50], main);
