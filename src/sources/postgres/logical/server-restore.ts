import { randomBytes } from 'node:crypto';
import { RespaldoError } from '../../../errors.ts';
import type { PlannedDatabase, ServerRestorePlan, ServerRestoreRequest, SourceIo } from '../../source.ts';
import { customsOf, parseTarget } from '../address.ts';
import { createStatement, propertyStatements, roleStatements } from './database-sql.ts';
import { differences } from './differences.ts';
import type { DatabaseFacts } from './facts.ts';
import { inspectFile, readFileDump } from './file-dump.ts';
import { foreignSql, requireRestorable, type ForeignContent } from './foreign-sql.ts';
import { loadArchive, loadSql } from './loading.ts';
import { PsqlSession } from './psql-session.ts';
import { dumpOf } from './restore-plan.ts';
import { inspectRestored } from './restored-content.ts';
import { identifier, literal } from './sql.ts';
import { maintenanceFor } from './target-server.ts';
import { Toolbox } from './toolbox.ts';

const TOLD = 5;
/** How long tidying up may take when all else was cancelled. */
const TIDY_MS = 60_000;

/** A database that can be made: empty, filled, and given what it has beside its content. */
interface Restorable {
  readonly planned: PlannedDatabase;
  readonly create: (name: string, serverVersion: number) => string;
  /** Reads everything once and keeps nothing: what is damaged is told before anything is touched. */
  readonly verify: () => Promise<void>;
  readonly load: (tools: Toolbox, name: string) => Promise<void>;
  /** Absent: nobody knows what it was. */
  readonly facts?: DatabaseFacts;
  readonly dumpVersion?: number;
}

/**
 * Everything is verified first; then each database is made beside the one that it replaces, compared with the dump's
 * record, and takes its place by its name. Until then the server's databases are untouched, unless `inPlace` asks for
 * room.
 */
export async function carryOutServerRestore(
  plan: ServerRestorePlan,
  request: ServerRestoreRequest,
  io: SourceIo,
): Promise<void> {
  if (plan.obstacles.length > 0)
    throw new RespaldoError('target-refused', `cannot restore to ${plan.server}`, { hint: plan.obstacles.join(' ') });
  const restorables = await restorablesOf(plan, request);
  for (const { verify } of restorables) await verify();
  const { server: address } = parseTarget(request.address, customsOf(io.runtime.kind === 'host'));
  const open = (signal: AbortSignal): Promise<Toolbox> => Toolbox.open(address, request.password, io.runtime, signal);
  const tools = await open(io.signal);
  const version = await versionOf(tools, plan);
  const matching = await tools.ofVersion(Math.floor(version / 10_000));
  if (request.createRoles && plan.missingRoles.length > 0) await createRoles(matching, plan, request);
  for (const restorable of restorables) {
    const place = new Place(matching, restorable.planned, request, () => open(AbortSignal.timeout(TIDY_MS)));
    await place.fill(restorable, version, io);
  }
}

/** Where a database comes to be, and how it gets its name. */
class Place {
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
    this.#side = sideName(planned.target, 'restoring');
  }

  async fill(restorable: Restorable, version: number, io: SourceIo): Promise<void> {
    if (this.#request.inPlace && this.#planned.replaces !== undefined) await this.#drop(this.#planned.target);
    await this.#run(restorable.create(this.#side, version));
    try {
      await restorable.load(this.#tools, this.#side);
      if (restorable.facts !== undefined) await this.#finish(restorable.facts, restorable.dumpVersion ?? 0, version);
      await this.#run('ANALYZE', this.#side);
      const old = await this.#swap();
      if (old !== undefined) await this.#leave(old, io);
    } catch (error) {
      await this.#tidy(io);
      throw error;
    }
  }

  async #finish(facts: DatabaseFacts, dumpVersion: number, version: number): Promise<void> {
    await this.#run(propertyStatements(facts, this.#side).join(';\n'));
    const found = await inspectRestored(this.#tools, this.#side, facts);
    const isSame = Math.floor(dumpVersion / 10_000) === Math.floor(version / 10_000);
    const wrong = differences(facts, found, isSame);
    if (wrong.length > 0)
      throw new RespaldoError('incomplete', `"${this.#planned.target}" came out different: ${some(wrong)}`, {
        hint: 'It was not put in place. Please report this; the dump’s files can be restored by --target.',
      });
  }

  /** Both names change together or not at all. @returns the name that the old database now has. */
  async #swap(): Promise<string | undefined> {
    const { target, replaces } = this.#planned;
    const isReplacing = replaces !== undefined && !this.#request.inPlace;
    const old = isReplacing ? sideName(target, 'before') : undefined;
    const end = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ${literal(target)}`;
    const renames = [
      ...(old === undefined ? [] : [`ALTER DATABASE ${identifier(target)} RENAME TO ${identifier(old)}`]),
      `ALTER DATABASE ${identifier(this.#side)} RENAME TO ${identifier(target)}`,
    ];
    if (isReplacing && this.#request.disconnect) await this.#run(end);
    await this.#run(['BEGIN', ...renames, 'COMMIT'].join(';\n'));
    return old;
  }

  async #leave(old: string, io: SourceIo): Promise<void> {
    if (!this.#request.keepOld) return this.#drop(old);
    io.report({
      severity: 'note',
      code: 'old-database-kept',
      prominent: true,
      subject: old,
      message: `what was "${this.#planned.target}" is now called "${old}": drop it when nobody needs it`,
    });
  }

  async #drop(name: string): Promise<void> {
    await this.#run(`DROP DATABASE ${identifier(name)}${this.#request.disconnect ? ' WITH (FORCE)' : ''}`);
  }

  /** What is half made goes, even when everything else was cancelled; a failure of that is only told. */
  async #tidy(io: SourceIo): Promise<void> {
    try {
      await execute(
        await this.#openTidy(),
        this.#maintenance,
        `DROP DATABASE IF EXISTS ${identifier(this.#side)} WITH (FORCE)`,
      );
    } catch (error) {
      io.report({
        severity: 'note',
        code: 'side-database-left',
        prominent: true,
        subject: this.#side,
        message: `the unfinished database "${this.#side}" could not be dropped: ${error instanceof Error ? error.message : String(error)}`,
      });
    }
  }

  #run(sql: string, database = this.#maintenance): Promise<void> {
    return execute(this.#tools, database, sql);
  }

  get #maintenance(): string {
    return maintenanceFor(this.#planned.target);
  }
}

async function restorablesOf(plan: ServerRestorePlan, { dump }: ServerRestoreRequest): Promise<Restorable[]> {
  if ('file' in dump) return plan.databases.map((planned) => fromFile(dump.file, planned));
  const { snapshot } = dump;
  const { facts, databases } = await dumpOf(snapshot, dump.folder);
  return databases.flatMap((database) => {
    const planned = plan.databases.find(({ name }) => name === database.name);
    if (planned === undefined) return [];
    const files = [
      'schema.sql',
      'data.sql',
      ...database.relations.flatMap(({ files = [] }) => files),
      'constraints.sql',
    ].map((file) => `${database.folder}/${file}`);
    const script = async function* (): AsyncGenerator<Uint8Array> {
      for (const file of files) yield* snapshot.stream(file);
    };
    return {
      planned,
      create: (name: string, version: number) => createStatement(database, name, version),
      verify: () => drain(script()),
      load: (tools: Toolbox, name: string) => loadSql(tools, name, script()),
      facts: database,
      dumpVersion: facts.serverVersionNumber,
    };
  });
}

function fromFile(path: string, planned: PlannedDatabase): Restorable {
  const content = (): ForeignContent => ({ databases: new Set(), isWhole: false, isPgDump: false });
  return {
    planned,
    create: (name) => `CREATE DATABASE ${identifier(name)} TEMPLATE template0`,
    verify: async () => {
      const file = await inspectFile(path);
      const found = content();
      const bytes = readFileDump(path, file);
      await drain(file.form === 'sql' ? foreignSql(bytes, found) : bytes);
      requireRestorable(found, path);
    },
    load: async (tools, name) => {
      const file = await inspectFile(path);
      const bytes = readFileDump(path, file);
      if (file.form === 'archive') await loadArchive(tools, name, bytes);
      else await loadSql(tools, name, foreignSql(bytes, content()));
    },
  };
}

async function createRoles(
  tools: Toolbox,
  { missingRoles, databases }: ServerRestorePlan,
  { dump }: ServerRestoreRequest,
): Promise<void> {
  if ('file' in dump) return;
  const { facts } = await dumpOf(dump.snapshot, dump.folder);
  const globals = await dump.snapshot.read(facts.globals.file);
  const statements = roleStatements(Buffer.from(globals ?? []).toString('utf8'), missingRoles);
  await execute(tools, maintenanceFor(databases[0]?.target ?? ''), ['BEGIN;', ...statements, 'COMMIT'].join('\n'));
}

async function versionOf(tools: Toolbox, { databases }: ServerRestorePlan): Promise<number> {
  const session = new PsqlSession(tools, maintenanceFor(databases[0]?.target ?? ''));
  const [row] = await session.query("SELECT current_setting('server_version_num')::int AS number");
  await session.close();
  return Number(row?.number);
}

async function execute(tools: Toolbox, database: string, sql: string): Promise<void> {
  const session = new PsqlSession(tools, database);
  try {
    await session.execute(sql);
    await session.close();
  } finally {
    await session.abandon();
  }
}

async function drain(content: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _piece of content) continue;
}

/** Names end at 63 bytes. */
function sideName(target: string, what: 'restoring' | 'before'): string {
  const room = 63 - 10 - what.length;
  const start = Buffer.from(target).subarray(0, room).toString('utf8').replace(/�+$/, '');
  return `${start}_${what}_${randomBytes(4).toString('hex')}`;
}

function some(sentences: readonly string[]): string {
  const more = sentences.length > TOLD ? `; and ${String(sentences.length - TOLD)} more` : '';
  return `${sentences.slice(0, TOLD).join('; ')}${more}`;
}
