import type { RespaldoError } from '../../../errors.ts';
import { explainFailure, requireSame, unfinishedLeft } from '../../server/restore-failure.ts';
import { sideName } from '../../server/side-name.ts';
import type { ServerRestoreRequest, SourceIo } from '../../source.ts';
import { propertyStatements } from './database-sql.ts';
import { differences } from './differences.ts';
import type { DatabaseFacts } from './facts.ts';
import { commentStatement, dropHalfMade, markStatement } from './half-made.ts';
import type { Hold } from './hold.ts';
import { ask, execute } from './psql-session.ts';
import type { Restorable } from './restorable.ts';
import { inspectRestored } from './restored-content.ts';
import { identifier, literal } from './sql.ts';
import { explainRestore } from './tool-refusal.ts';
import type { Toolbox } from './toolbox.ts';

/** PostgreSQL's code. */
const DISK_FULL = '53100';
/** Of a name. */
const MOST_BYTES = 63;

/** What places of one restore have in common. */
export interface Grounds {
  readonly tools: Toolbox;
  /** The database to be connected to while others come and go. */
  readonly maintenance: string;
  readonly request: ServerRestoreRequest;
  /** The server's: 150008 for 15.8. */
  readonly version: number;
  /** Tools that go on for a while when everything else was cancelled. */
  readonly openCalm: () => Promise<Toolbox>;
}

/** Where a database comes to be, and how it gets its name. */
export class Place {
  readonly target: string;
  /** The name until it is whole. */
  readonly side: string;
  /** The name of the database that it replaces, from the swap on. */
  readonly old: string | undefined;
  readonly #restorable: Restorable;
  readonly #grounds: Grounds;
  #isDropped = false;

  constructor(restorable: Restorable, grounds: Grounds) {
    const { target, replaces } = restorable.planned;
    this.target = target;
    this.side = sideName(target, 'restoring', shorten);
    this.old = replaces === undefined || grounds.request.inPlace ? undefined : sideName(target, 'before', shorten);
    this.#restorable = restorable;
    this.#grounds = grounds;
  }

  /** Makes the database under its side name, whole and compared. Before it is marked as ours, it is held. */
  async fill(hold: Hold): Promise<void> {
    const { tools, request, version } = this.#grounds;
    const { planned, facts, dumpVersion = 0 } = this.#restorable;
    if (request.inPlace && planned.replaces !== undefined) {
      await this.#drop(this.target);
      this.#isDropped = true;
    }
    await this.#run(this.#restorable.create(this.side, version));
    await hold.take(this.side);
    await this.#run(markStatement(this.side));
    await this.#restorable.load(tools, this.side);
    if (facts !== undefined) await this.#compare(facts, dumpVersion);
    await this.#run('ANALYZE', this.side);
    // Only now: its settings (a time limit, read only) are for those who work with it.
    if (facts !== undefined) await this.#run(propertyStatements(facts, this.side).join(';\n'));
  }

  async #compare(facts: DatabaseFacts, dumpVersion: number): Promise<void> {
    const { tools, version } = this.#grounds;
    const found = await inspectRestored(tools, this.side, facts);
    const isSame = Math.floor(dumpVersion / 10_000) === Math.floor(version / 10_000);
    requireSame(this.target, differences(facts, found, isSame));
  }

  /** To be carried out in one transaction. A template cannot be dropped: it becomes one when nothing can fail any more. */
  get swap(): readonly string[] {
    return [
      ...(this.old === undefined
        ? []
        : [`ALTER DATABASE ${identifier(this.target)} RENAME TO ${identifier(this.old)}`]),
      // Until now it was marked as half made.
      commentStatement(this.side, this.#restorable.facts?.comment ?? null),
      `ALTER DATABASE ${identifier(this.side)} RENAME TO ${identifier(this.target)}`,
      ...(this.#restorable.facts?.template === true
        ? [`ALTER DATABASE ${identifier(this.target)} IS_TEMPLATE true`]
        : []),
    ];
  }

  /** What stopped it, as it is to be told. */
  explain(error: unknown): unknown {
    return explainFailure(explainRestore(error), this.target, this.#isDropped, isFullDisk);
  }

  /** The new one is in place: whatever happens to the old one is no failure of the restore. */
  async leave(io: SourceIo): Promise<void> {
    const { old } = this;
    if (old === undefined) return;
    let why = '';
    if (!this.#grounds.request.keepOld)
      try {
        await this.#drop(old);
        return;
      } catch (error) {
        why = ` (it could not be dropped: ${error instanceof Error ? error.message : String(error)})`;
      }
    io.report({
      severity: 'note',
      code: 'old-database-kept',
      prominent: true,
      subject: old,
      message: `what was "${this.target}" is now called "${old}"${why}: drop it when nobody needs it`,
    });
  }

  /** No template can be dropped, and what cannot be dropped after all stays one. */
  async #drop(name: string): Promise<void> {
    const { tools, maintenance, request } = this.#grounds;
    const sql = `SELECT datistemplate AS is FROM pg_database WHERE datname = ${literal(name)}`;
    const wasTemplate = (await ask(tools, maintenance, sql))[0]?.is === true;
    const mark = (is: boolean): Promise<void> =>
      this.#run(`ALTER DATABASE ${identifier(name)} IS_TEMPLATE ${String(is)}`);
    if (wasTemplate) await mark(false);
    try {
      await this.#run(`DROP DATABASE ${identifier(name)}${request.disconnect ? ' WITH (FORCE)' : ''}`);
    } catch (error) {
      if (wasTemplate) await mark(true);
      throw error;
    }
  }

  /** What is half made goes, even when everything else was cancelled; a failure of that is only told. */
  async tidy(io: SourceIo): Promise<void> {
    const { maintenance, openCalm } = this.#grounds;
    try {
      const tools = await openCalm();
      await dropHalfMade(tools, maintenance, this.side);
    } catch (error) {
      io.report(unfinishedLeft(this.side, error));
    }
  }

  #run(sql: string, database = this.#grounds.maintenance): Promise<void> {
    return execute(this.#grounds.tools, database, sql);
  }
}

function isFullDisk({ context }: RespaldoError): boolean {
  return context.sqlstate === DISK_FULL;
}

function shorten(name: string, room: number): string {
  return Buffer.from(name)
    .subarray(0, MOST_BYTES - room)
    .toString('utf8')
    .replace(/�+$/, '');
}
