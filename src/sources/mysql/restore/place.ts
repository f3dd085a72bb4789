import { RespaldoError } from '../../../errors.ts';
import { explainFailure, requireSame, unfinishedLeft } from '../../server/restore-failure.ts';
import { sideName } from '../../server/side-name.ts';
import type { PlannedDatabase, ServerRestoreRequest, SourceIo } from '../../source.ts';
import { inspectContent } from '../logical/inventory.ts';
import { Session } from '../session.ts';
import { identifier } from '../sql.ts';
import type { Toolbox } from '../toolbox.ts';
import { objectDifferences, tableDifferences } from './differences.ts';
import { dropObjects, makeObjects, type Objects } from './objects.ts';
import type { Restorable } from './restorable.ts';
import { disconnect } from './sessions.ts';
import { Swap } from './swap.ts';

/** Of a name. */
const MOST_CHARACTERS = 64;

/** How a database is replaced. */
type Wish = Pick<ServerRestoreRequest, 'inPlace' | 'disconnect' | 'keepOld'>;

/** Where a database comes to be, and how it gets its name. */
export class Place {
  readonly #tools: Toolbox;
  readonly #planned: PlannedDatabase;
  readonly #request: Wish;
  /** Tools that go on working when all else was cancelled. */
  readonly #openTidy: () => Promise<Toolbox>;

  constructor(tools: Toolbox, planned: PlannedDatabase, request: Wish, openTidy: () => Promise<Toolbox>) {
    this.#tools = tools;
    this.#planned = planned;
    this.#request = request;
    this.#openTidy = openTidy;
  }

  async fill(restorable: Restorable, io: SourceIo): Promise<void> {
    await (this.#request.inPlace ? this.#fillInPlace(restorable, io) : this.#fillBeside(restorable, io));
  }

  /** The new database is whole before the old one is touched. */
  async #fillBeside(restorable: Restorable, io: SourceIo): Promise<void> {
    const { target, replaces } = this.#planned;
    const side = sideName(target, 'restoring', shorten);
    try {
      await this.#create(side, restorable);
      const objects = await restorable.load(this.#tools, side);
      await this.#compareTables(side, restorable);
      await this.#try(side, objects);
      io.signal.throwIfAborted();
      const swap = new Swap(await this.#openTidy(), { side, target, before: sideName(target, 'before', shorten) }, io);
      await swap.carryOut(objects, replaces !== undefined, this.#request, (tools) =>
        this.#compareObjects(tools, target, restorable),
      );
    } catch (error) {
      // Where it could not be taken back, what lies there may be all that there is.
      const isStuck = error instanceof RespaldoError && error.context['stuck'] === true;
      if (!isStuck) await this.#dropLeftover(side, io);
      throw explainFailure(error, target, false, isFullDisk);
    }
  }

  /** The old database goes first. */
  async #fillInPlace(restorable: Restorable, io: SourceIo): Promise<void> {
    const { target, replaces } = this.#planned;
    const isReplacing = replaces !== undefined;
    if (isReplacing) {
      if (this.#request.disconnect) await disconnect(this.#tools, target);
      await this.#execute(`DROP DATABASE IF EXISTS ${identifier(target)}`);
    }
    try {
      await this.#create(target, restorable);
      const { routines, views, triggers, events } = await restorable.load(this.#tools, target);
      await this.#compareTables(target, restorable);
      await makeObjects(this.#tools, target, [routines, views, triggers, events]);
      await this.#compareObjects(this.#tools, target, restorable);
    } catch (error) {
      await this.#dropLeftover(target, io);
      throw explainFailure(error, target, isReplacing, isFullDisk);
    }
  }

  async #create(name: string, { charset }: Restorable): Promise<void> {
    const how = charset === undefined ? '' : ` CHARACTER SET ${charset.charset} COLLATE ${charset.collation}`;
    await this.#execute(`CREATE DATABASE ${identifier(name)}${how}`);
  }

  /** Whether views and routines can be made at all is known before anything is replaced. */
  async #try(side: string, { routines, views }: Objects): Promise<void> {
    await makeObjects(this.#tools, side, [routines, views]);
    await Session.with(this.#tools, (session) => dropObjects(session, side));
  }

  async #compareTables(database: string, { facts }: Restorable): Promise<void> {
    if (facts === undefined) return;
    const counts = new Map<string, number>();
    await Session.with(this.#tools, async (session) => {
      const { tables } = await inspectContent(session, database);
      for (const { name, kind } of tables)
        if (kind === 'table') {
          const [row] = await session.query({ rows: 'COUNT(*)' }, `FROM ${identifier(database)}.${identifier(name)}`);
          counts.set(name, Number(row?.rows));
        }
    });
    requireSame(this.#planned.target, tableDifferences(facts, counts));
  }

  async #compareObjects(tools: Toolbox, database: string, { facts }: Restorable): Promise<void> {
    if (facts === undefined) return;
    const content = await Session.with(tools, (session) => inspectContent(session, database));
    requireSame(this.#planned.target, objectDifferences(facts, content));
  }

  /** What is half made goes, even when everything else was cancelled; a failure of that is only told. */
  async #dropLeftover(name: string, io: SourceIo): Promise<void> {
    try {
      const tools = await this.#openTidy();
      await Session.with(tools, (session) => session.execute(`DROP DATABASE IF EXISTS ${identifier(name)}`));
    } catch (error) {
      io.report(unfinishedLeft(name, error));
    }
  }

  async #execute(sql: string): Promise<void> {
    await Session.with(this.#tools, (session) => session.execute(sql));
  }
}

function isFullDisk({ context }: RespaldoError): boolean {
  return context['full'] === true;
}

function shorten(name: string, room: number): string {
  return Array.from(name)
    .slice(0, MOST_CHARACTERS - room)
    .join('');
}
