import { dirname } from 'node:path';
import { z } from 'zod';
import type { SourceIo } from '../source.ts';
import { immutable } from './copy.ts';

/**
 * A program of its own, because a check may take minutes and only the end of its process stops it. Reads questions, a JSON
 * array of SQL, and writes what came of each; every value as text, so that no digit of a large number is lost.
 */
const PROGRAM = `
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  const { readFileSync } = process.getBuiltinModule('node:fs');
  const database = new DatabaseSync(new URL(process.argv[1]), { readOnly: true, readBigInts: true, returnArrays: true });
  const text = (value) => (value === null ? null : String(value));
  const answer = (sql) => {
    try {
      return { rows: database.prepare(sql).all().map((row) => row.map(text)) };
    } catch (error) {
      return { failed: error.message };
    }
  };
  const questions = JSON.parse(readFileSync(0, 'utf8'));
  process.stdout.write(JSON.stringify(questions.map(answer)));
`;

const answersSchema = z.array(
  z.object({
    rows: z.array(z.array(z.string().nullable())).default([]),
    /** In SQLite's words. */
    failed: z.string().optional(),
  }),
);

export type Answer = z.infer<typeof answersSchema>[number];

/**
 * Asks a database that nobody writes.
 * @returns an answer to each question
 * @throws RespaldoError `command-failed`, `cancelled`
 */
export async function ask(
  file: string,
  questions: readonly string[],
  { runtime, signal }: Pick<SourceIo, 'runtime' | 'signal'>,
): Promise<readonly Answer[]> {
  const argv = [process.execPath, '--eval', PROGRAM, immutable(file).href] as const;
  const command = { argv, stdin: sent(JSON.stringify(questions)), cwd: dirname(file) };
  const pieces = await Array.fromAsync(runtime.run(command, signal));
  return answersSchema.parse(JSON.parse(Buffer.concat(pieces).toString('utf8')));
}

/** The values of an answer's first row. */
export function firstRow(answer: Answer | undefined): readonly (string | null)[] {
  return answer?.rows[0] ?? [];
}

async function* sent(text: string): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(Buffer.from(text));
}
