/** Follows a server's log without end, and stores it in stretches. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import type { Finding } from '../domain/finding.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { isError, RespaldoError, toRespaldoError } from '../errors.ts';
import type { Repository } from '../repository/repository.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import type { LogStretch, Source } from '../sources/source.ts';
import { describe, historyOf, lastComplete, type BackupRequest } from './backup.ts';
import { Findings } from './findings.ts';
import type { StreamRecord } from './stream-record.ts';

export interface StreamRequest {
  readonly backup: Omit<BackupRequest, 'type' | 'dryRun' | 'excludes'>;
  /** Milliseconds after which what has come is stored, at the latest. */
  readonly every: number;
  /** Bytes of a stretch, about. */
  readonly bytes: number;
}

export interface StreamPorts {
  readonly repository: Repository;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly onFinding?: (finding: Finding) => void;
  /** Absent: nothing is remembered. */
  readonly record?: StreamRecord;
  /** Told when the stretch can be restored, and not before. */
  readonly onStored?: (stretch: LogStretch, snapshot: Snapshot) => void;
  /** Told of what is going to be tried again, and after how many milliseconds. */
  readonly onTrouble?: (error: RespaldoError, pause: number) => void;
}

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;
/** How long storing the last stretch may take after somebody wanted an end. */
const LAST_MS = 60_000;
/** Dropping takes a lock that stands in others' way: it is not done for each. */
const MOST_SUPERSEDED = 30;

/**
 * Ends without an error when `stop` is aborted, after what had come was stored. The server or the store may go away and
 * come back meanwhile: whatever was not stored is read again.
 * @throws RespaldoError what trying again does not help
 */
export async function stream(request: StreamRequest, ports: StreamPorts, stop: AbortSignal): Promise<void> {
  const work = new Streaming(request, ports, stop);
  let failures = 0;
  const isStopped = (): boolean => stop.aborted;
  while (!isStopped()) {
    try {
      await work.follow(() => {
        failures = 0;
      });
    } catch (error) {
      if (isStopped() && isError(error, 'cancelled')) break;
      const told = toRespaldoError(error);
      await ports.record?.failed(told);
      if (!told.retry) throw told;
      const pause = pauseAfter(failures);
      failures += 1;
      ports.onTrouble?.(told, pause);
      await wait(pause, undefined, { signal: stop }).catch(() => undefined);
    }
  }
  await work.dropSuperseded();
  await ports.record?.ended();
}

/** Twice as long each time, and never the same for several that were thrown out together. */
function pauseAfter(failures: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures) * (0.5 + Math.random() / 2);
}

class Streaming {
  readonly #request: StreamRequest;
  readonly #ports: StreamPorts;
  readonly #stop: AbortSignal;
  /** Aborted some time after `stop`: the last stretch is still to be stored. */
  readonly #hard = new AbortController();
  /** Ids of snapshots whose content lies in newer ones. */
  #superseded: string[] = [];

  constructor(request: StreamRequest, ports: StreamPorts, stop: AbortSignal) {
    this.#request = request;
    this.#ports = ports;
    this.#stop = stop;
    stop.addEventListener('abort', () => setTimeout(() => this.#hard.abort(), LAST_MS).unref(), { once: true });
  }

  /** Until the stream has to be begun anew. */
  async follow(onProgress: () => void): Promise<void> {
    const { repository, runtime } = this.#ports;
    const { backup, every, bytes } = this.#request;
    const follow = followOf(backup.source);
    const signal = this.#hard.signal;
    const previous = lastComplete(await historyOf(this.#record(), this.#ports.clock.now(), repository, this.#stop));
    const findings = new Findings(this.#ports.onFinding);
    const io = { runtime, signal, report: findings.add, expect: () => undefined };
    const { hostname, plan, program } = backup;
    const origin = {
      reason: 'streamed',
      hostname,
      ...(plan !== undefined && { plan }),
      ...(program !== undefined && { program }),
    };
    const since = previous && { since: repository.readable(previous, signal) };
    let last: Snapshot | undefined;
    for await (const stretch of follow(io, { ...since, every, bytes, origin, stop: this.#stop })) {
      const before = last;
      last = await this.#store(stretch);
      if (stretch.replacesLast && before !== undefined) this.#superseded.push(before.id);
      onProgress();
      this.#ports.onStored?.(stretch, last);
      if (this.#superseded.length >= MOST_SUPERSEDED || !stretch.replacesLast) await this.dropSuperseded();
    }
  }

  /** Where others use the repository it is left for later: what lies there twice does no harm. */
  async dropSuperseded(): Promise<void> {
    if (this.#superseded.length === 0) return;
    try {
      await this.#ports.repository.forget(this.#superseded, this.#hard.signal);
      this.#superseded = [];
    } catch (error) {
      if (!isError(error, 'repository-locked') && !isError(error, 'store-refused')) throw error;
    }
  }

  async #store({ entries, bytes, replacesLast }: LogStretch): Promise<Snapshot> {
    const { repository, clock } = this.#ports;
    const about = describe(this.#record(), { type: 'incremental' }, clock.now());
    const options = { estimate: false, readConcurrency: 1 };
    const { snapshot, summary } = await repository.save(inOrder(entries), about, options, this.#hard.signal);
    if (snapshot === undefined) throw new RespaldoError('internal', 'nothing was stored');
    const sizes = { bytes, bytesAdded: summary.dataAddedPacked };
    await this.#ports.record?.stored({ snapshot: snapshot.id, ...sizes, replacesLast });
    return snapshot;
  }

  #record(): BackupRequest {
    return { ...this.#request.backup, type: 'incremental', dryRun: false, excludes: [] };
  }
}

function followOf(source: Source): NonNullable<Source['follow']> {
  requireFollowable(source);
  return source.follow.bind(source);
}

/** @throws RespaldoError `usage` */
export function requireFollowable(source: Source): asserts source is Source & Required<Pick<Source, 'follow'>> {
  if (source.follow !== undefined) return;
  throw new RespaldoError('usage', `nothing can be followed of ${source.paths.join(', ')}`, {
    hint: 'Name the log of a server: mysql://user@host/?method=binlogs',
  });
}

async function* inOrder<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}
