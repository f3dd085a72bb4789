/** A container that was stopped for a backup, as the journal of it remembers. Times as the engine's clock said. */
export interface StoppedContainer {
  readonly id: string;
  readonly name: string;
  /** When the run began that was to be ended: RFC 3339. */
  readonly startedAt: string;
  /** When its end was asked for: RFC 3339. */
  readonly askedAt: string;
  /** How long it had then before it was killed: seconds. */
  readonly stopSeconds: number;
  /** When it had ended: RFC 3339. Absent: whoever asked for it has not seen it. */
  readonly finishedAt?: string;
}

/** What is to be known of a container now. */
export interface ContainerNow {
  readonly running: boolean;
  readonly startedAt: string;
  readonly finishedAt: string;
}

/** What an engine may take longer than a container has: milliseconds. */
const MARGIN = 30_000;

/**
 * What to do about a container that was stopped, or asked to: start it; see its end, which may be under way, and start
 * it then; or leave it, because somebody else has started or stopped it since.
 * @param rebooted whether the machine was started anew since: then nothing that ran goes on by itself.
 */
export function fateOf(
  { startedAt, askedAt, stopSeconds, finishedAt }: StoppedContainer,
  now: ContainerNow,
  time: Date,
  rebooted: boolean,
): 'start' | 'end-and-start' | 'leave' {
  if (finishedAt !== undefined) return !now.running && now.finishedAt === finishedAt ? 'start' : 'leave';
  if (now.startedAt !== startedAt) return 'leave';
  const latest = Date.parse(askedAt) + stopSeconds * 1000 + MARGIN;
  if (now.running) return !rebooted && time.getTime() <= latest ? 'end-and-start' : 'leave';
  return rebooted || Date.parse(now.finishedAt) <= latest ? 'start' : 'leave';
}
