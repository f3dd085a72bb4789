import { execFile } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { embeddedBinaries } from '../../examples/tienda/binaries.ts';
import { Cluster } from '../../examples/tienda/cluster.ts';
import { freePort } from '../../examples/tienda/free-port.ts';
import { BIN, CHECKOUT_BIN } from '../fixtures/cli.ts';
import { COMPILE_CACHE } from '../fixtures/compiled-sources.ts';
import { HAS_MARIADB, MariaServer } from '../fixtures/mariadb.ts';
import { DEBIAN_15, debianBinaries } from '../fixtures/postgres.ts';
import { RedisServer } from '../fixtures/redis.ts';
import { RESTICS } from '../fixtures/restic.ts';

/*
 * The documents promise commands; here they are executed.
 *
 * A fenced block is run if its language is `sh`. All blocks of a document are one bash script, run in order in a fresh
 * folder, so that a later block finds what an earlier one made and exported; any command that fails, fails the test.
 *   ```sh exit=3       the block must end with this code; what it exports is lost
 *   ```sh checkout     commands for a checkout, which other tests run: only those listed in `elsewhere` are allowed
 *   ```sh postgres     needs a PostgreSQL: `localhost:5432` is the one that the test starts, with PGPASSWORD set
 *   ```sh redis        needs a Redis: `localhost:6379` is the one that the test starts
 *   ```sh mysql        needs a MariaDB: `localhost:3306`, with MYSQL_PWD set and a database `shop`; left out where there is none
 *   ```sh dump         needs its client programs too, and a database `shop`: left out where the test bed has none
 * Anything that is shown but not a command is ```text, ```yaml, ```json …
 */
const root = join(import.meta.dirname, '../..');

/** What a checkout's own commands are tested by. */
const elsewhere: Readonly<Record<string, string>> = {
  'npm ci': 'scripts/test-all.sh',
  'npm run demo': 'test/e2e/demo.test.ts',
  'npm run hooks': 'test/house/hooks.test.ts',
  'npm run bench': 'bench/bench.test.ts',
  'scripts/test-all.sh': 'itself',
};

interface Block {
  readonly flags: readonly string[];
  readonly text: string;
}

function blocksOf(document: string): Block[] {
  const fences = readFileSync(join(root, document), 'utf8').matchAll(/^```sh([^\n]*)\n([^]*?)^```$/gm);
  return [...fences].map(([, flags = '', text = '']) => ({ flags: flags.trim().split(/\s+/).filter(Boolean), text }));
}

/** One bash script of all the blocks, each announced so that a failure tells where it happened. */
function scriptOf(blocks: readonly Block[]): string {
  const parts = blocks.map(({ flags, text }) => {
    const announcement = `printf '%s\\n' ${quote(`--- ${text.trim()}`)}\n`;
    const code = flags.find((flag) => flag.startsWith('exit='))?.slice('exit='.length);
    if (code === undefined) return announcement + text;
    return `${announcement}set +e; (set -e\n${text}); code=$?; set -e; test $code = ${code} || { echo "exit $code instead of ${code}"; exit 1; }\n`;
  });
  return ['set -euo pipefail', ...parts].join('\n');
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** A folder in which `respaldo` and `npx respaldo` are what the document speaks of: the README begins with a checkout. */
async function freshFolder(document: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'respaldo-docs-'));
  const bin = join(folder, 'node_modules/.bin');
  await mkdir(bin, { recursive: true });
  await symlink(document === 'README.md' ? CHECKOUT_BIN : BIN, join(bin, 'respaldo'));
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
  await mkdir(join(folder, 'home'));
  return folder;
}

function bash(script: string, cwd: string, env: NodeJS.ProcessEnv): Promise<{ code: number; output: string }> {
  const { promise, resolve } = Promise.withResolvers<{ code: number; output: string }>();
  const child = execFile('bash', ['-c', `exec 2>&1\n${script}`], { cwd, env }, (error, output) =>
    resolve({ code: error === null ? 0 : Number(error.code ?? 1), output }),
  );
  child.stdin?.end();
  return promise;
}

const documents = globSync(['*.md', 'docs/**/*.md', 'examples/**/*.md', 'bench/*.md'], {
  cwd: root,
  exclude: ['**/node_modules/**'],
})
  .map((document) => ({ document, blocks: blocksOf(document) }))
  .filter(({ blocks }) => blocks.length > 0);

describe('The documents', () => {
  it('include a walk through the first minutes', () => {
    expect(documents.map(({ document }) => document)).toContain('README.md');
  });

  it.each(documents)('name in $document only commands of a checkout that are tested elsewhere', ({ blocks }) => {
    const lines = blocks
      .filter(({ flags }) => flags.includes('checkout'))
      .flatMap(({ text }) => text.split(/\n|&&/))
      .map((line) => line.replace(/#.*/, '').trim())
      .filter(Boolean);
    expect(lines.filter((line) => elsewhere[line] === undefined && !/^(git clone|cd) /.test(line))).toEqual([]);
  });

  const runnable = documents
    .map(({ document, blocks }) => ({ document, blocks: blocks.filter(({ flags }) => !flags.includes('checkout')) }))
    .filter(({ blocks }) => blocks.length > 0);

  it.for(runnable)('show in $document only commands that work', async ({ document, blocks: all }, { skip }) => {
    const blocks = all
      .filter(({ flags }) => existsSync(DEBIAN_15) || !flags.includes('dump'))
      .filter(({ flags }) => HAS_MARIADB || !flags.includes('mysql'));
    const wantsRestic = blocks.some(({ text }) => /^restic /m.test(text));
    skip(wantsRestic && RESTICS.length === 0, 'there is no restic on this machine');
    const { LANG = 'C.UTF-8' } = process.env;
    await using stack = new AsyncDisposableStack();
    const folder = await freshFolder(document);
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const path = [join(folder, 'node_modules/.bin'), join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter);
    const env = { PATH: path, HOME: join(folder, 'home'), LANG, USER: 'me', NODE_COMPILE_CACHE: COMPILE_CACHE };
    let script = scriptOf(blocks);
    if (blocks.some(({ flags }) => flags.includes('postgres'))) {
      const { port, password } = await startPostgres(
        stack,
        blocks.some(({ flags }) => flags.includes('dump')),
      );
      script = `export PGPASSWORD=${password}\n${script.replaceAll('localhost:5432', `127.0.0.1:${port}`)}`;
    }
    if (blocks.some(({ flags }) => flags.includes('mysql'))) {
      const server = stack.use(await MariaServer.start());
      await server.query("ALTER USER root@127.0.0.1 IDENTIFIED BY 'shop'; CREATE DATABASE shop");
      await server.query('CREATE TABLE orders (id INT PRIMARY KEY)', 'shop');
      script = `export MYSQL_PWD=shop\n${script.replaceAll('localhost:3306', `127.0.0.1:${String(server.port)}`)}`;
    }
    if (blocks.some(({ flags }) => flags.includes('redis'))) {
      const port = String(await freePort());
      stack.use(await RedisServer.start(['--port', port]));
      script = script.replaceAll('localhost:6379', `127.0.0.1:${port}`);
    }
    const { code, output } = await bash(script, folder, env);
    expect(code, output).toBe(0);
  });
});

/**
 * A server that asks for a password, as the documents assume; it ends with the stack.
 * @param dumps whether it must be one whose client programs are installed.
 */
async function startPostgres(stack: AsyncDisposableStack, dumps: boolean): Promise<{ port: number; password: string }> {
  const password = 'shop';
  const binaries = dumps ? await debianBinaries() : await embeddedBinaries();
  stack.defer(() => binaries.remove());
  const cluster = await Cluster.create(binaries, { tcp: true });
  stack.defer(() => cluster.remove());
  await cluster.start();
  await cluster.query(`ALTER ROLE postgres PASSWORD '${password}'`);
  await cluster.query('CREATE DATABASE shop');
  return { port: cluster.port, password };
}
