import { randomBytes } from 'node:crypto';
import { RespaldoError } from '../../../errors.ts';
import { conninfo } from './conninfo.ts';
import { knowsGuard } from './dumps.ts';
import type { Toolbox } from './toolbox.ts';

/** Runs a script in one transaction that ends with the first error; returns when the server has committed it all. */
export async function loadSql(tools: Toolbox, database: string, script: AsyncIterable<Uint8Array>): Promise<void> {
  const mark = randomBytes(16).toString('hex');
  const guard = (await knowsGuard(tools)) ? randomBytes(16).toString('hex') : undefined;
  const args = ['-X', '-q', '-A', '-t', '-w', '-1', '-v', 'ON_ERROR_STOP=1', '-f', '-'];
  let tail = '';
  const stdin = marked(script, mark, guard);
  for await (const piece of tools.run({ program: 'psql', args, database, stdin }))
    tail = (tail + Buffer.from(piece).toString('latin1')).slice(-2 * mark.length);
  if (!tail.includes(mark))
    throw new RespaldoError('source-lost', `${tools.server}: psql ended before it had read the whole dump`, {
      hint: 'Nothing was put in place. Try again.',
    });
}

/** Lets pg_restore read an archive, in one transaction too. */
export async function loadArchive(tools: Toolbox, database: string, archive: AsyncIterable<Uint8Array>): Promise<void> {
  const args = ['--no-password', '--single-transaction', '--exit-on-error', `--dbname=${conninfo(database)}`];
  for await (const _piece of tools.run({ program: 'pg_restore', args, database, stdin: archive })) continue;
}

/** With proof of having been read to its end, and no power for meta-commands that the dumped database may have hidden. */
async function* marked(
  script: AsyncIterable<Uint8Array>,
  mark: string,
  guard: string | undefined,
): AsyncGenerator<Uint8Array> {
  if (guard !== undefined) yield Buffer.from(`\\restrict ${guard}\n`);
  yield* script;
  const end = [...(guard === undefined ? [] : [`\\unrestrict ${guard}`]), `SELECT '${mark}';`];
  yield Buffer.from(`\n${end.join('\n')}\n`);
}
