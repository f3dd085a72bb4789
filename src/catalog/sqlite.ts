import { closeSync, openSync } from 'node:fs';
import type { SQLInputValue } from 'node:sqlite';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';

import { RespaldoError } from '../errors.ts';
import type { Catalog, NewRun, RunOutcome, RunQuery, RunRecord } from './catalog.ts';

/** How long to wait for another process that is writing. */
const BUSY_MS = 5000;

/** Each brings the schema one version further; none is ever changed once it was published. */
const MIGRATIONS = [
  `CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    operation TEXT NOT NULL,
    subject TEXT NOT NULL,
    repository TEXT NOT NULL,
    type TEXT,
    started_at TEXT NOT NULL,
    state TEXT,
    finished_at TEXT,
    snapshot TEXT,
    bytes_processed INTEGER,
    bytes_added INTEGER,
    error TEXT
  ) STRICT;
  CREATE INDEX runs_by_subject ON runs (subject, id);`,
  'ALTER TABLE runs ADD COLUMN recovery_ms INTEGER',
  'ALTER TABLE runs ADD COLUMN owner TEXT',
];

const optional = <T extends z.ZodType>(type: T) => type.nullable().transform((value) => value ?? undefined);

const Row = z.object({
  id: z.number(),
  operation: z.enum(['backup', 'archive', 'restore', 'forget', 'prune', 'check', 'verify']),
  subject: z.string(),
  repository: z.string(),
  type: optional(z.string()),
  started_at: z.string(),
  state: optional(z.enum(['succeeded', 'incomplete', 'failed', 'cancelled'])),
  finished_at: optional(z.string()),
  snapshot: optional(z.string()),
  bytes_processed: optional(z.number()),
  bytes_added: optional(z.number()),
  recovery_ms: optional(z.number()),
  error: optional(z.string()),
  owner: optional(z.string()),
});

/** Runs in an SQLite file. Several processes may use it at once. */
export class SqliteCatalog implements Catalog {
  readonly #database: DatabaseSync;

  /** Makes the file, readable by its owner alone, or brings it up to date. */
  constructor(path: string) {
    closeSync(openSync(path, 'a', 0o600));
    this.#database = new DatabaseSync(path, { timeout: BUSY_MS });
    try {
      this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
      this.#examine();
      this.#migrate(path);
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  async begin(run: NewRun): Promise<number> {
    const { lastInsertRowid } = this.#run(
      'INSERT INTO runs (operation, subject, repository, type, started_at, owner) VALUES (?, ?, ?, ?, ?, ?)',
      run.operation,
      run.subject,
      run.repository,
      run.type ?? null,
      run.startedAt.toISOString(),
      run.owner ?? null,
    );
    return Number(lastInsertRowid);
  }

  async finish(id: number, outcome: RunOutcome): Promise<void> {
    this.#run(
      `UPDATE runs SET state = ?, finished_at = ?, snapshot = ?, bytes_processed = ?, bytes_added = ?, recovery_ms = ?, error = ?
       WHERE id = ?`,
      outcome.state,
      outcome.finishedAt.toISOString(),
      outcome.snapshot ?? null,
      outcome.bytesProcessed ?? null,
      outcome.bytesAdded ?? null,
      outcome.recoveryMs ?? null,
      outcome.error ?? null,
      id,
    );
  }

  async runs({ subject, limit }: RunQuery): Promise<readonly RunRecord[]> {
    const rows = this.#database
      .prepare('SELECT * FROM runs WHERE ?1 IS NULL OR subject = ?1 ORDER BY id DESC LIMIT ?2')
      .all(subject ?? null, limit ?? -1);
    return rows.map((row) => toRecord(Row.parse(row)));
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #run(sql: string, ...values: SQLInputValue[]) {
    return this.#database.prepare(sql).run(...values);
  }

  #migrate(path: string): void {
    if (this.#version() === MIGRATIONS.length) return;
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const version = this.#version();
      if (version > MIGRATIONS.length) {
        throw new RespaldoError('config', `${path} was written by a newer version of Respaldo`, {
          hint: 'Update Respaldo, or set RESPALDO_STATE_DIR to another folder.',
        });
      }
      for (const migration of MIGRATIONS.slice(version)) this.#database.exec(migration);
      this.#database.exec(`PRAGMA user_version = ${MIGRATIONS.length}; COMMIT`);
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  /** Looks at every page, so that damage shows now, when the file can still be replaced. A catalog is small. */
  #examine(): void {
    const [found] = this.#database.prepare('PRAGMA quick_check(1)').all();
    if (found?.['quick_check'] !== 'ok') throw new DamagedError(String(found?.['quick_check']));
  }

  #version(): number {
    return z.object({ user_version: z.number() }).parse(this.#database.prepare('PRAGMA user_version').get())
      .user_version;
  }
}

class DamagedError extends Error {}

/** Whether an error of SQLite says that the file itself is spoilt, or was never a database. */
export function isDamage(error: unknown): boolean {
  const SQLITE_CORRUPT = 11;
  const SQLITE_NOTADB = 26;
  if (error instanceof DamagedError) return true;
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return false;
  const primary = error.errcode & 0xff;
  return primary === SQLITE_CORRUPT || primary === SQLITE_NOTADB;
}

function toRecord(row: z.infer<typeof Row>): RunRecord {
  const outcome: RunOutcome | undefined =
    row.state === undefined || row.finished_at === undefined
      ? undefined
      : {
          state: row.state,
          finishedAt: new Date(row.finished_at),
          ...(row.snapshot !== undefined && { snapshot: row.snapshot }),
          ...(row.bytes_processed !== undefined && { bytesProcessed: row.bytes_processed }),
          ...(row.bytes_added !== undefined && { bytesAdded: row.bytes_added }),
          ...(row.recovery_ms !== undefined && { recoveryMs: row.recovery_ms }),
          ...(row.error !== undefined && { error: row.error }),
        };
  return {
    id: row.id,
    operation: row.operation,
    subject: row.subject,
    repository: row.repository,
    ...(row.type !== undefined && { type: row.type }),
    startedAt: new Date(row.started_at),
    ...(row.owner !== undefined && { owner: row.owner }),
    ...(outcome && { outcome }),
  };
}
