/**
 * Dumps of MariaDB beside what people do without us: `node bench/mysql.ts`, with `--rows` (of some 170 bytes, by default
 * 2,000,000), `--runs`, `--folder` and `--write-docs` as in the bench. The server's own processor time is not counted.
 */
import { join } from 'node:path';
import { MariaServer } from '../test/fixtures/mariadb.ts';
import { measureAll, render, type Contender } from './contest.ts';
import { replaceBlock } from './document.ts';
import { Ground } from './ground.ts';
import { installProgram } from './program.ts';
import { runScript, type ScriptOptions } from './script.ts';
import { findTools } from './tools/index.ts';
import type { Tool } from './tools/tool.ts';

/** Orders of a shop: numbers, words that come again, and some that do not. */
const ORDERS = `CREATE TABLE orders (id INT PRIMARY KEY, customer INT, status VARCHAR(12), city VARCHAR(20), total DECIMAL(10,2),
  placed DATETIME, reference CHAR(12), note VARCHAR(120), KEY (customer))`;
const STATUS = "ELT(1 + seq % 4, 'paid', 'shipped', 'open', 'returned')";
const CITY = "ELT(1 + seq * 7 % 5, 'Madrid', 'Sevilla', 'Bilbao', 'Valencia', 'Zaragoza')";
const NOTE =
  "CONCAT('leave it with the neighbour if nobody opens, floor ', seq % 9, ', please ring twice before 18:00')";

async function main({ size: rows, runs, folder, writeDocs }: ScriptOptions, signal: AbortSignal): Promise<void> {
  const ground = await Ground.prepare(folder, signal);
  await using server = await MariaServer.start();
  try {
    const tools = await findTools(await installProgram(join(ground.folder, 'program')));
    await ground.makeEmpty(tools[0]);
    await server.query(`CREATE DATABASE shop; USE shop; ${ORDERS};
      INSERT INTO orders SELECT seq, seq * 31 % 90001, ${STATUS}, ${CITY}, seq % 50000 / 7,
        FROM_UNIXTIME(1700000000 + seq * 37), LEFT(MD5(seq), 12), ${NOTE} FROM seq_1_to_${rows}`);
    const samples = await measureAll(contenders(server, tools), tools[0], ground, runs);
    const text = render(samples, `A table of ${rows} rows; medians of ${runs} runs each, in turn.`);
    console.log(text);
    if (writeDocs) replaceBlock('mysql', text);
  } finally {
    await ground.remove();
  }
}

function contenders(server: MariaServer, [respaldo, ...others]: readonly [Tool, ...Tool[]]): Contender[] {
  const restic = others.find(({ name }) => name === 'restic');
  const dump = ['mariadb-dump', '--no-defaults', `--socket=${server.socket}`, '-uroot', '--single-transaction', 'shop'];
  const alone: Contender = {
    name: 'mariadb-dump > file',
    command: (folder) => ({ argv: ['sh', '-c', '"$@" > dump.sql', 'sh', ...dump], env: {}, cwd: folder }),
  };
  return [
    {
      name: 'respaldo backup',
      command: (_, place) => respaldo.command({ kind: 'backup', name: 'first', source: server.address('shop') }, place),
    },
    alone,
    ...(restic === undefined ? [] : [piped(dump, restic)]),
  ];
}

function piped(dump: readonly string[], restic: Tool): Contender {
  return {
    name: 'mariadb-dump | restic backup --stdin',
    command: (_, place) => {
      const { argv, env } = restic.command({ kind: 'backup-stream', input: '' }, place);
      return { argv: ['sh', '-c', `${dump.join(' ')} | "$@"`, 'sh', ...argv], env };
    },
  };
}

await runScript(['rows', 2_000_000], main);
