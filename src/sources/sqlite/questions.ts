import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { SourceIo } from '../source.ts';

/**
 * A program of its own is the only one that opens databases. A check may take minutes, and only the end of its process stops
 * it. And the locks of SQLite are the process's: whoever reads and closes the same file in ours, as a backup of its folder
 * does, would undo them.
 *
 * It sees the database as it is when it begins, asks it, and perhaps copies it. Every value is text, so that no digit of a
 * large number is lost.
 */
const PROGRAM = `
  import { readFileSync } from 'node:fs';
  import { backup, DatabaseSync } from 'node:sqlite';
  import { setTimeout as wait } from 'node:timers/promises';

  const LOCKED = 5, ATTEMPTS = 500, PAUSE_MS = 10, STEP_PAGES = 2000;

  async function begin(url) {
    for (let attempt = 1; ; attempt++) {
      const database = new DatabaseSync(new URL(url), { readOnly: true, readBigInts: true, returnArrays: true });
      try {
        database.exec('BEGIN; SELECT count(*) FROM sqlite_schema');
        return database;
      } catch (error) {
        database.close();
        if ((error.errcode & 0xff) !== LOCKED || attempt === ATTEMPTS) throw error;
      }
      await wait(PAUSE_MS);
    }
  }

  function answer(database, sql) {
    try {
      const rows = database.prepare(sql).all();
      return { rows: rows.map((row) => row.map((value) => (value === null ? null : String(value)))) };
    } catch (error) {
      return { failed: error.message };
    }
  }

  async function work({ url, questions, copyTo }) {
    try {
      const database = await begin(url);
      const answers = questions.map((sql) => answer(database, sql));
      if (copyTo !== undefined) await backup(database, copyTo, { rate: STEP_PAGES });
      return { answers };
    } catch (error) {
      return { answers: [], refused: { errcode: error.errcode ?? 0, message: error.message } };
    }
  }

  process.stdout.write(JSON.stringify(await work(JSON.parse(readFileSync(0, 'utf8')))));
`;

const outcome = z.object({
  answers: z.array(
    z.object({
      rows: z.array(z.array(z.string().nullable())).default([]),
      /** In SQLite's words. */
      failed: z.string().optional(),
    }),
  ),
  refused: z.object({ errcode: z.number(), message: z.string() }).optional(),
});

export type Answer = z.infer<typeof outcome>['answers'][number];

/** An error of SQLite's own. */
export class SqliteError extends Error {
  /** SQLite's result code, the extended one. */
  readonly errcode: number;

  constructor({ errcode, message }: { readonly errcode: number; readonly message: string }) {
    super(message);
    this.errcode = errcode;
  }
}

/**
 * Asks a database, as it is at one moment.
 * @param url of its file; with `?immutable=1` SQLite takes it for one that nobody writes
 * @param copyTo a file that becomes a copy of the database at that moment
 * @returns an answer to each question
 * @throws SqliteError if it cannot be opened or copied. @throws RespaldoError `command-failed`, `cancelled`
 */
export async function ask(
  url: URL,
  questions: readonly string[],
  { runtime, signal }: Pick<SourceIo, 'runtime' | 'signal'>,
  copyTo?: string,
): Promise<readonly Answer[]> {
  const argv = [process.execPath, '--input-type=module', '--eval', PROGRAM] as const;
  const task = JSON.stringify({ url: url.href, questions, copyTo });
  const command = { argv, stdin: sent(task), cwd: dirname(fileURLToPath(url)) };
  const pieces = await Array.fromAsync(runtime.run(command, signal));
  const { answers, refused } = outcome.parse(JSON.parse(Buffer.concat(pieces).toString('utf8')));
  if (refused !== undefined) throw new SqliteError(refused);
  return answers;
}

/** The values of an answer's first row. */
export function firstRow(answer: Answer | undefined): readonly (string | null)[] {
  return answer?.rows[0] ?? [];
}

async function* sent(text: string): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(Buffer.from(text));
}
