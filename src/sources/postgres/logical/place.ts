import { RespaldoError } from '../../../errors.ts';
import { explainFailure, requireSame, unfinishedLeft } from '../../server/restore-failure.ts';
import { sideName } from '../../server/side-name.ts';
import type { PlannedDatabase, ServerRestoreRequest, SourceIo } from '../../source.ts';
import { propertyStatements } from './database-sql.ts';
import { differences } from './differences.ts';
import type { DatabaseFacts } from './facts.ts';
import { execute } from './psql-session.ts';
import type { Restorable } from './restorable.ts';
import { inspectRestored } from './restored-content.ts';
import { identifier, literal } from './sql.ts';
import { maintenanceFor } from './target-server.ts';
import { explainRestore } from './tool-refusal.ts';
import type { Toolbox } from './toolbox.ts';

/** PostgreSQL's codes. */
const DISK_FULL = '53100';
const NO_PRIVILEGE = '42501';
/** Of a name. */
const MOST_BYTES = 63;

const DROP_TABLES = `DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT oid::regclass FROM pg_class WHERE relkind = 'r'
    AND relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')
  LOOP EXECUTE 'DROP TABLE IF EXISTS ' || name || ' CASCADE'; END LOOP;
END $$`;

/** No database goes that has a subscription. What was dumped of one never had a connection: nobody else loses anything. */
const DROP_SUBSCRIPTIONS = `DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT quote_ident(subname) FROM pg_subscription
    WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
  LOOP
    EXECUTE 'ALTER SUBSCRIPTION ' || name || ' DISABLE';
    EXECUTE 'ALTER SUBSCRIPTION ' || name || ' SET (slot_name = NONE)';
    EXECUTE 'DROP SUBSCRIPTION ' || name;
  END LOOP;
END $$`;

/** Where a database comes to be, and how it gets its name. */
export class Place {
  readonly #tools: Toolbox;
  readonly #planned: PlannedDatabase;
  readonly #request: ServerRestoreRequest;
  readonly #openTidy: () => Promise<Toolbox>;
  /** The name until it is whole. */
  readonly #side: string;

  constructor(
    tools: Toolbox,
    planned: PlannedDatabase,
    request: ServerRestoreRequest,
    openTidy: () => Promise<Toolbox>,
  ) {
    this.#tools = tools;
    this.#planned = planned;
    this.#request = request;
    this.#openTidy = openTidy;
    this.#side = sideName(planned.target, 'restoring', shorten);
  }

  async fill(restorable: Restorable, version: number, io: SourceIo): Promise<void> {
    let isDropped = false;
    let old: string | undefined;
    try {
      if (this.#request.inPlace && this.#planned.replaces !== undefined) {
        await this.#drop(this.#planned.target);
        isDropped = true;
      }
      await this.#run(restorable.create(this.#side, version));
      await restorable.load(this.#tools, this.#side);
      const { facts, dumpVersion = 0 } = restorable;
      if (facts !== undefined) await this.#compare(facts, dumpVersion, version);
      await this.#run('ANALYZE', this.#side);
      // Only now: its settings (a time limit, read only) are for those who work with it.
      if (facts !== undefined) await this.#run(propertyStatements(facts, this.#side).join(';\n'));
      await this.#settle();
      old = await this.#swap();
    } catch (error) {
      await this.#tidy(io);
      throw explainFailure(explainRestore(error), this.#planned.target, isDropped, isFullDisk);
    }
    if (old !== undefined) await this.#leave(old, io);
  }

  /** Everything is on the server's disk when this resolves, so that a full one shows now, not when the old is gone. */
  async #settle(): Promise<void> {
    try {
      await this.#run('CHECKPOINT');
    } catch (error) {
      const mayNot = error instanceof RespaldoError && error.context.sqlstate === NO_PRIVILEGE;
      if (!mayNot) throw error;
    }
  }

  async #compare(facts: DatabaseFacts, dumpVersion: number, version: number): Promise<void> {
    const found = await inspectRestored(this.#tools, this.#side, facts);
    const isSame = Math.floor(dumpVersion / 10_000) === Math.floor(version / 10_000);
    requireSame(this.#planned.target, differences(facts, found, isSame));
  }

  /** Both names change together or not at all. @returns the name that the old database now has. */
  async #swap(): Promise<string | undefined> {
    const { target, replaces } = this.#planned;
    const isReplacing = replaces !== undefined && !this.#request.inPlace;
    const old = isReplacing ? sideName(target, 'before', shorten) : undefined;
    const end = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ${literal(target)}`;
    const renames = [
      ...(old === undefined ? [] : [`ALTER DATABASE ${identifier(target)} RENAME TO ${identifier(old)}`]),
      `ALTER DATABASE ${identifier(this.#side)} RENAME TO ${identifier(target)}`,
    ];
    if (isReplacing && this.#request.disconnect) await this.#run(end);
    await this.#run(['BEGIN', ...renames, 'COMMIT'].join(';\n'));
    return old;
  }

  /** The new one is in place: whatever happens to the old one is no failure of the restore. */
  async #leave(old: string, io: SourceIo): Promise<void> {
    let why = '';
    if (!this.#request.keepOld)
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
      message: `what was "${this.#planned.target}" is now called "${old}"${why}: drop it when nobody needs it`,
    });
  }

  async #drop(name: string): Promise<void> {
    await this.#run(`DROP DATABASE ${identifier(name)}${this.#request.disconnect ? ' WITH (FORCE)' : ''}`);
  }

  /** What is half made goes, even when everything else was cancelled; a failure of that is only told. */
  async #tidy(io: SourceIo): Promise<void> {
    try {
      const tools = await this.#openTidy();
      const drop = (): Promise<void> =>
        execute(tools, this.#maintenance, `DROP DATABASE IF EXISTS ${identifier(this.#side)} WITH (FORCE)`);
      try {
        await drop();
      } catch {
        await execute(tools, this.#side, DROP_SUBSCRIPTIONS);
        // Dropping takes a checkpoint, and that takes room, which there may only be without the rows.
        await execute(tools, this.#side, DROP_TABLES);
        await drop();
      }
    } catch (error) {
      io.report(unfinishedLeft(this.#side, error));
    }
  }

  #run(sql: string, database = this.#maintenance): Promise<void> {
    return execute(this.#tools, database, sql);
  }

  get #maintenance(): string {
    return maintenanceFor(this.#planned.target);
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
