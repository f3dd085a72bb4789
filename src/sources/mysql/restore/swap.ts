import { RespaldoError } from '../../../errors.ts';
import type { ServerRestoreRequest, SourceIo } from '../../source.ts';
import { inspectContent, inspectDatabases } from '../logical/inventory.ts';
import { Session } from '../session.ts';
import { identifier } from '../sql.ts';
import type { Toolbox } from '../toolbox.ts';
import { dropObjects, dropTriggers, makeObjects, readObjects, type Objects } from './objects.ts';
import { disconnect } from './sessions.ts';

interface Names {
  /** The new database, whole but for what is no table. */
  readonly side: string;
  readonly target: string;
  /** What the old one's tables are moved to. */
  readonly before: string;
}

interface Old {
  readonly objects: Objects;
  /** How many. */
  readonly tables: number;
  readonly charset: string;
  readonly collation: string;
}

/** How long to wait for whoever uses a table. */
const LOCK_SECONDS = 60;

/**
 * Puts a new database in an old one's place. Databases cannot be renamed: the tables of both move by a single RENAME TABLE,
 * which is done as a whole or not at all; what is no table is dropped and made again. Whatever fails is taken back. It is
 * short, and nobody cancels it half way.
 */
export class Swap {
  readonly #tools: Toolbox;
  readonly #names: Names;
  readonly #io: SourceIo;
  /** How far it has come with the old database. */
  #step: 'untouched' | 'opened' | 'moving' | 'moved' = 'untouched';

  constructor(tools: Toolbox, names: Names, io: SourceIo) {
    this.#tools = tools;
    this.#names = names;
    this.#io = io;
  }

  /** @param isReplacing whether there is an old database. @param compare throws if something is missing. */
  async carryOut(
    objects: Objects,
    isReplacing: boolean,
    request: Pick<ServerRestoreRequest, 'disconnect' | 'keepOld'>,
    compare: (tools: Toolbox) => Promise<void>,
  ): Promise<void> {
    const { target } = this.#names;
    const old = isReplacing ? await this.#readOld() : undefined;
    if (old !== undefined && request.disconnect) await disconnect(this.#tools, target);
    try {
      await this.#move(old);
      const { routines, views, triggers, events } = objects;
      await makeObjects(this.#tools, target, [routines, views, triggers, events]);
      await compare(this.#tools);
    } catch (error) {
      await this.#takeBack(old, error);
      throw error;
    }
    await this.#leave(old, request.keepOld);
  }

  async #readOld(): Promise<Old> {
    const { target } = this.#names;
    const { all, tables } = await this.#session(async (session) => ({
      all: await inspectDatabases(session),
      tables: (await inspectContent(session, target)).tables.length,
    }));
    const { charset = '', collation = '' } = all.find(({ name }) => name === target) ?? {};
    return { objects: await readObjects(this.#tools, target), tables, charset, collation };
  }

  async #move(old: Old | undefined): Promise<void> {
    const { side, target, before } = this.#names;
    await this.#session(async (session) => {
      const { charset, collation } = (await inspectDatabases(session)).find(({ name }) => name === side) ?? {};
      const how = `CHARACTER SET ${charset ?? ''} COLLATE ${collation ?? ''}`;
      if (old === undefined) {
        await session.execute(`CREATE DATABASE ${identifier(target)} ${how}`);
        this.#step = 'opened';
        await rename(session, [[side, target]]);
        return;
      }
      const oldHow = `CHARACTER SET ${old.charset} COLLATE ${old.collation}`;
      await session.execute(`CREATE DATABASE ${identifier(before)} ${oldHow}`);
      this.#step = 'opened';
      await dropTriggers(session, target);
      this.#step = 'moving';
      await rename(session, [
        [target, before],
        [side, target],
      ]);
      this.#step = 'moved';
      await dropObjects(session, target);
      await session.execute(`ALTER DATABASE ${identifier(target)} ${how}`);
    });
  }

  async #takeBack(old: Old | undefined, why: unknown): Promise<void> {
    if (this.#step === 'untouched') return;
    const { side, target, before } = this.#names;
    try {
      if (old === undefined) {
        await this.#session((session) => session.execute(`DROP DATABASE IF EXISTS ${identifier(target)}`));
        return;
      }
      await this.#session(async (session) => {
        await dropObjects(session, target);
        if (await this.#hasMoved(session, old))
          await rename(session, [
            [target, side],
            [before, target],
          ]);
        const how = `CHARACTER SET ${old.charset} COLLATE ${old.collation}`;
        await session.execute(`ALTER DATABASE ${identifier(target)} ${how}`);
        await session.execute(`DROP DATABASE ${identifier(before)}`);
      });
      const { routines, views, triggers, events } = old.objects;
      await makeObjects(this.#tools, target, [routines, views, triggers, events]);
    } catch (error) {
      throw this.#stuck(why, error);
    }
  }

  /** Where the answer to RENAME TABLE was lost, the server is asked: it did all of it, or nothing. */
  async #hasMoved(session: Session, { tables }: Old): Promise<boolean> {
    if (this.#step !== 'moving') return this.#step === 'moved';
    const [from, to] = tables > 0 ? [this.#names.target, this.#names.before] : [this.#names.side, this.#names.target];
    const moved = (await inspectContent(session, to)).tables.length;
    return tables > 0 ? moved === tables : moved > 0 && (await inspectContent(session, from)).tables.length === 0;
  }

  /** Both the restore and taking it back have failed: somebody has to know where everything lies. */
  #stuck(why: unknown, error: unknown): RespaldoError {
    const { side, target, before } = this.#names;
    const [first, second] = [why, error].map((one) => (one instanceof Error ? one.message : String(one)));
    return new RespaldoError(
      'incomplete',
      `"${target}" could neither be replaced (${first ?? ''}) nor be put back (${second ?? ''})`,
      {
        context: { stuck: true },
        hint: `The tables of the old database are in "${target}" or "${before}", those of the new one in "${side}" or "${target}": none are lost. Move them by RENAME TABLE.`,
        cause: why,
      },
    );
  }

  /** The new one is in place: whatever happens to the old one is no failure of the restore. */
  async #leave(old: Old | undefined, keepOld: boolean): Promise<void> {
    const { side, target, before } = this.#names;
    let why = '';
    try {
      await this.#session((session) => session.execute(`DROP DATABASE IF EXISTS ${identifier(side)}`));
      if (old === undefined) return;
      if (!keepOld) {
        await this.#session((session) =>
          session.execute(`SET foreign_key_checks = 0;\nDROP DATABASE ${identifier(before)}`),
        );
        return;
      }
      const { routines, views, triggers, events } = old.objects;
      if (events !== '') why = ', without its events';
      await makeObjects(this.#tools, before, [routines, views, triggers]);
    } catch (error) {
      if (old === undefined) return;
      why = ` (${error instanceof Error ? error.message : String(error)})`;
    }
    this.#io.report({
      severity: 'note',
      code: 'old-database-kept',
      prominent: true,
      subject: before,
      message: `what was "${target}" is now called "${before}"${why}: drop it when nobody needs it`,
    });
  }

  #session<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return Session.with(this.#tools, async (session) => {
      await session.execute(`SET SESSION lock_wait_timeout = ${String(LOCK_SECONDS)}, SESSION foreign_key_checks = 0`);
      return work(session);
    });
  }
}

/** All tables of some databases into others, in this order, at once. */
async function rename(session: Session, moves: readonly (readonly [from: string, to: string])[]): Promise<void> {
  const steps: string[] = [];
  for (const [from, to] of moves) {
    const { tables } = await inspectContent(session, from);
    for (const { name } of tables)
      steps.push(`${identifier(from)}.${identifier(name)} TO ${identifier(to)}.${identifier(name)}`);
  }
  if (steps.length > 0) await session.execute(`RENAME TABLE ${steps.join(', ')}`);
}
