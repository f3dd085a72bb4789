import { randomBytes } from 'node:crypto';
import { RespaldoError } from '../../../errors.ts';
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

const TOLD = 5;

/** Where a database comes to be, and how it gets its name. */
export class Place {
  readonly #tools: Toolbox;
  readonly #planned: PlannedDatabase;
  readonly #request: ServerRestoreRequest;
  /** Tools that go on working when all else was cancelled. */
  readonly #openTidy: () => Promise<Toolbox>;

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
  }

  async fill(restorable: Restorable, io: SourceIo): Promise<void> {
    await (this.#request.inPlace ? this.#fillInPlace(restorable, io) : this.#fillBeside(restorable, io));
  }

  /** The new database is whole before the old one is touched. */
  async #fillBeside(restorable: Restorable, io: SourceIo): Promise<void> {
    const { target, replaces } = this.#planned;
    const side = sideName(target, 'restoring');
    try {
      await this.#create(side, restorable);
      const objects = await restorable.load(this.#tools, side);
      await this.#compareTables(side, restorable);
      await this.#try(side, objects);
      io.signal.throwIfAborted();
      const swap = new Swap(await this.#openTidy(), { side, target, before: sideName(target, 'before') }, io);
      await swap.carryOut(objects, replaces !== undefined, this.#request, (tools) =>
        this.#compareObjects(tools, target, restorable),
      );
    } catch (error) {
      // Where it could not be taken back, what lies there may be all that there is.
      const isStuck = error instanceof RespaldoError && error.context['stuck'] === true;
      if (!isStuck) await this.#dropLeftover(side, io);
      throw explainFailure(error, target, false);
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
      throw explainFailure(error, target, isReplacing);
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
    this.#demandNone(tableDifferences(facts, counts));
  }

  async #compareObjects(tools: Toolbox, database: string, { facts }: Restorable): Promise<void> {
    if (facts === undefined) return;
    const content = await Session.with(tools, (session) => inspectContent(session, database));
    this.#demandNone(objectDifferences(facts, content));
  }

  #demandNone(wrong: readonly string[]): void {
    if (wrong.length === 0) return;
    throw new RespaldoError('incomplete', `"${this.#planned.target}" came out different: ${some(wrong)}`, {
      hint: 'It was not put in place. Please report this; the dump’s files can be restored by --target.',
    });
  }

  /** What is half made goes, even when everything else was cancelled; a failure of that is only told. */
  async #dropLeftover(name: string, io: SourceIo): Promise<void> {
    try {
      const tools = await this.#openTidy();
      await Session.with(tools, (session) => session.execute(`DROP DATABASE IF EXISTS ${identifier(name)}`));
    } catch (error) {
      io.report({
        severity: 'note',
        code: 'side-database-left',
        prominent: true,
        subject: name,
        message: `the unfinished database "${name}" could not be dropped: ${error instanceof Error ? error.message : String(error)}`,
      });
    }
  }

  async #execute(sql: string): Promise<void> {
    await Session.with(this.#tools, (session) => session.execute(sql));
  }
}

/** @param isGone whether the database that was there is lost by it. */
function explainFailure(error: unknown, target: string, isGone: boolean): unknown {
  if (!(error instanceof RespaldoError)) return error;
  const isFull = error.context['full'] === true;
  if (!isFull && !isGone) return error;
  const state = isGone
    ? `"${target}" was dropped before, as --in-place says, and is gone: restore it again.`
    : 'Nothing was put in place.';
  const room = isFull && !isGone ? ' --in-place takes less room: it drops the old database first.' : '';
  const hint = [error.hint, `${state}${room}`].filter((text) => text !== undefined).join(' ');
  return new RespaldoError(isFull ? 'target-full' : error.code, error.message, {
    hint,
    context: error.context,
    cause: error,
  });
}

/** Names end at 64 characters. */
function sideName(target: string, what: 'restoring' | 'before'): string {
  const room = 64 - 10 - what.length;
  const start = Array.from(target).slice(0, room).join('');
  return `${start}_${what}_${randomBytes(4).toString('hex')}`;
}

function some(sentences: readonly string[]): string {
  const more = sentences.length > TOLD ? `; and ${String(sentences.length - TOLD)} more` : '';
  return `${sentences.slice(0, TOLD).join('; ')}${more}`;
}
