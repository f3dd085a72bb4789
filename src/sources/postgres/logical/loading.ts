import { randomBytes } from 'node:crypto';
import { readTarMembers } from '../../../domain/tar-reader.ts';
import { isError, RespaldoError } from '../../../errors.ts';
import { conninfo } from './conninfo.ts';
import { knowsGuard } from './guard.ts';
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

/**
 * Reads an archive of pg_dump to its end and keeps nothing of it.
 * @param path how it is called. @throws RespaldoError `source-damaged`
 */
export async function verifyArchive(
  tools: Toolbox,
  form: 'custom' | 'tar',
  archive: AsyncIterable<Uint8Array>,
  path: string,
): Promise<void> {
  try {
    // Where a tar ends within a file, pg_restore waits for the rest of it forever.
    if (form === 'tar') {
      for await (const _member of readTarMembers(archive, (what) => damaged(path, what))) continue;
      return;
    }
    const call = { program: 'pg_restore', args: ['--file=/dev/null'], stdin: archive } as const;
    for await (const _piece of tools.run(call)) continue;
  } catch (error) {
    if (!isError(error, 'command-failed')) throw error;
    throw damaged(path, error.message.replace(`${tools.server}: `, 'pg_restore says: '), error);
  }
}

function damaged(path: string, what: string, cause?: unknown): RespaldoError {
  return new RespaldoError('source-damaged', `${path} is damaged or cut short: ${what}`, {
    hint: 'Nothing was restored. Fetch or make the file again.',
    ...(cause !== undefined && { cause }),
  });
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
