import { systemClock } from '../../../clock.ts';
import type { SourceIo } from '../../source.ts';
import type { BackupAddress } from '../address.ts';
import { DatabaseEntries } from './database-entries.ts';
import { readGlobals } from './globals.ts';
import { knowsGuard } from './guard.ts';
import { lookAt, type Outlook } from './outlook.ts';

/** Dumps that nobody has asked for entries of yet: the first database is being read already. */
export interface BegunDumps extends AsyncDisposable {
  readonly outlook: Outlook;
  /** Roles and tablespaces: `globals.sql`. */
  readonly globals: AsyncIterable<Uint8Array>;
  /** In the order of the outlook's databases. */
  readonly entries: readonly DatabaseEntries[];
}

/**
 * @param until aborted when nobody wants them any more
 * @throws RespaldoError what cannot work at all
 */
async function beginDumps(
  address: BackupAddress,
  given: string | undefined,
  io: SourceIo,
  until?: AbortSignal,
): Promise<BegunDumps> {
  const seen = await lookAt(address, given, io);
  const outlook = until === undefined ? seen : { ...seen, tools: seen.tools.until(until) };
  const isGuarded = await knowsGuard(outlook.tools);
  const request = { version: outlook.server.number, isGuarded, jobs: address.jobs };
  const entries = outlook.databases.map((database) => new DatabaseEntries(outlook.tools, { ...request, database }));
  const [first] = entries;
  first?.begin();
  const globals = readGlobals(outlook, isGuarded);
  const dispose = async (): Promise<void> => {
    await globals.stop();
    await first?.[Symbol.asyncDispose]();
  };
  return { outlook, globals: globals.content, entries, [Symbol.asyncDispose]: dispose };
}

/** So long a server's sessions wait for whoever wants what they read. Milliseconds. */
const PATIENCE = 10_000;

/** What was begun before it was asked for, by the means that whoever asks has too. */
const AHEAD = new WeakMap<SourceIo, { readonly address: BackupAddress; readonly dumps: DumpsAhead }>();

/** Begins to dump although nobody can take it yet; {@link takeDumps} goes on with it. */
export function beginAhead(address: BackupAddress, given: string | undefined, io: SourceIo): AsyncDisposable {
  const dumps = new DumpsAhead(address, given, io);
  AHEAD.set(io, { address, dumps });
  return dumps;
}

/** What was begun ahead, unless that is too long ago; else what begins now. Whoever takes it disposes of it. */
export async function takeDumps(address: BackupAddress, given: string | undefined, io: SourceIo): Promise<BegunDumps> {
  const ahead = AHEAD.get(io);
  AHEAD.delete(io);
  const begun = ahead?.address === address ? ahead.dumps.take() : undefined;
  return begun ?? beginDumps(address, given, io);
}

class DumpsAhead implements AsyncDisposable {
  readonly #unwanted = new AbortController();
  readonly #dumps: Promise<BegunDumps>;
  readonly #end: NodeJS.Timeout;
  readonly #since = systemClock.monotonic();
  #isTaken = false;

  constructor(address: BackupAddress, given: string | undefined, io: SourceIo) {
    this.#dumps = beginDumps(address, given, io, this.#unwanted.signal);
    // Whoever takes them is told.
    this.#dumps.catch(() => undefined);
    this.#end = setTimeout(() => void this[Symbol.asyncDispose](), PATIENCE);
  }

  /** Undefined: they have waited too long. */
  take(): Promise<BegunDumps> | undefined {
    if (this.#unwanted.signal.aborted || systemClock.monotonic() - this.#since > PATIENCE) return undefined;
    clearTimeout(this.#end);
    this.#isTaken = true;
    return this.#dumps;
  }

  /** Ends what nobody has taken; never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isTaken) return;
    clearTimeout(this.#end);
    this.#unwanted.abort();
    const dumps = await this.#dumps.catch(() => undefined);
    await dumps?.[Symbol.asyncDispose]();
  }
}
