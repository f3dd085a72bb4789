/** Follows the binary log as a replica does. */
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../../../clock.ts';
import { isError, RespaldoError } from '../../../errors.ts';
import type { FollowOptions, LogStretch, SourceIo } from '../../source.ts';
import type { MysqlAddress } from '../address.ts';
import { downloadForever, MOST_FILES } from './download.ts';
import { chainBroken, chainOf, factsOf } from './entries.ts';
import { findBinlogFacts, type BinlogFacts } from './facts.ts';
import { OpenStretch } from './open-stretch.ts';
import { BinlogReader } from './reader.ts';
import { findStart } from './resume.ts';
import { Stretch } from './stretch.ts';
import { surveyLog, type LogSurvey } from './survey.ts';

/** A stream in which nothing comes may be dead: so often the server is asked whether it has written something. */
const IDLE_MS = 30_000;
/** Then a stretch ends, however short it is. */
const LONGEST_MS = 3_600_000;

/** So many times longer a stretch may become for the sake of one transaction. */
const MOST_TIMES = 4;

/** See {@link Source.follow}. */
export async function* followBinlogs(...how: Parameters<typeof stretchesOf>): AsyncGenerator<LogStretch> {
  const [, , , { stop }] = how;
  try {
    yield* stretchesOf(...how);
  } catch (error) {
    if (!stop.aborted || !isError(error, 'cancelled')) throw error;
  }
}

async function* stretchesOf(
  address: MysqlAddress,
  given: string | undefined,
  io: SourceIo,
  options: FollowOptions,
): AsyncGenerator<LogStretch> {
  const end = new AbortController();
  const signal = AbortSignal.any([io.signal, options.stop, end.signal]);
  const log = await surveyLog(address, given, { runtime: io.runtime, signal }, false);
  const start = await findStart(options.since && (await findBinlogFacts(options.since)), log);
  if (start.broken !== undefined) io.report(chainBroken(start.broken));
  const follower = new Follower(log, start.at, options, end, () =>
    surveyLog(address, given, { runtime: io.runtime, signal }, false),
  );
  let open = new OpenStretch(new Stretch(start.at, start.before));
  let chain = chainOf(start);
  let openedAt = systemClock.monotonic();
  const store = async (): Promise<{ facts: BinlogFacts; stretch: LogStretch }> => {
    // What else the server has written by now may still be to come.
    const seen = Date.parse(open.stretch.facts().lastTime ?? '') / 1000 || 0;
    const facts = await factsOf(open.stretch, chain, { ...log, now: seen }, { type: 'incremental', ...options });
    return { facts, stretch: open.handOver(facts) };
  };
  try {
    for await (const isDue of follower.fill(() => open)) {
      if (!isDue) continue;
      const { facts, stretch } = await store();
      yield stretch;
      const isOld = systemClock.monotonic() - openedAt >= LONGEST_MS && open.stretch.transactions.isOutside;
      if (!isOld && !isFull(open, options)) continue;
      open = open.next(facts);
      chain = { id: chain.id };
      openedAt = systemClock.monotonic();
    }
  } catch (error) {
    // What has come is whole, whatever happened then.
    if (open.hasNews) yield (await store()).stretch;
    throw error;
  } finally {
    end.abort();
  }
  if (open.hasNews) yield (await store()).stretch;
}

/** Brings events into the open stretch, and says when it is time to store it. */
class Follower {
  readonly #log: LogSurvey;
  readonly #reader: BinlogReader;
  readonly #options: FollowOptions;
  /** Ends the stream. */
  readonly #end: AbortController;
  readonly #look: () => Promise<LogSurvey>;
  readonly #first: string;

  constructor(
    log: LogSurvey,
    at: BinlogReader['position'],
    options: FollowOptions,
    end: AbortController,
    look: () => Promise<LogSurvey>,
  ) {
    this.#log = log;
    this.#reader = new BinlogReader(at, log.tools.server);
    this.#options = options;
    this.#end = end;
    this.#look = look;
    this.#first = at.file;
  }

  /** Yields whether the stretch is to be stored. Ends where the stream has to be begun anew. */
  async *fill(open: () => OpenStretch): AsyncGenerator<boolean> {
    const pieces = await downloadForever(this.#log.tools, this.#reader.position);
    const files = new Set([this.#first]);
    let pending: Promise<IteratorResult<Uint8Array>> | undefined;
    let newsSince: number | undefined;
    let bytesAtLook = -1;
    try {
      while (files.size < MOST_FILES) {
        pending ??= pieces.next();
        const patience = newsSince === undefined ? IDLE_MS : newsSince + this.#options.every - systemClock.monotonic();
        const came = await within(pending, Math.max(0, patience));
        if (came === undefined && newsSince === undefined) {
          bytesAtLook = await this.#requireProgress(bytesAtLook);
          continue;
        }
        if (came !== undefined) {
          pending = undefined;
          if (came.done === true) throw this.#lost('the server ended the stream');
          for (const placed of this.#reader.push(came.value)) {
            files.add(placed.file);
            open().add(placed);
            if (isFull(open(), this.#options)) yield true;
          }
        }
        if (!open().hasNews) newsSince = undefined;
        else newsSince ??= systemClock.monotonic();
        if (newsSince === undefined || systemClock.monotonic() - newsSince < this.#options.every) continue;
        newsSince = undefined;
        yield true;
      }
    } finally {
      this.#end.abort();
      pending?.catch(() => undefined);
      await pieces.return(undefined).catch(() => undefined);
    }
  }

  /** @param before how many bytes there were behind us the last time that nothing came; -1: it is the first time */
  async #requireProgress(before: number): Promise<number> {
    const { files } = await this.#look();
    const { file, offset } = this.#reader.position;
    const index = files.findIndex(({ name }) => name === file);
    const behind = files.slice(index).reduce((sum, { bytes }) => sum + bytes, 0) - offset;
    if (index < 0 || (behind > 0 && before > 0)) throw this.#lost('the server goes on writing, and nothing comes');
    return behind;
  }

  #lost(what: string): RespaldoError {
    return new RespaldoError('source-lost', `${this.#log.tools.server}: ${what}`, { hint: 'It is tried again.' });
  }
}

/** Between two transactions; one that is larger than memory is cut in its middle. */
function isFull({ stretch }: OpenStretch, { bytes }: FollowOptions): boolean {
  return stretch.bytes >= bytes && (stretch.transactions.isOutside || stretch.bytes >= bytes * MOST_TIMES);
}

/** What comes in time; undefined: nothing yet. */
async function within<T>(pending: Promise<T>, milliseconds: number): Promise<T | undefined> {
  const patience = new AbortController();
  const late = wait(milliseconds, undefined, { signal: patience.signal }).catch(() => undefined);
  try {
    return await Promise.race([pending, late]);
  } finally {
    patience.abort();
  }
}
