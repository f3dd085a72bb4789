/** A drill is a rehearsed restore: what must be true of it, and what came of it. */

/** Something of the plan's own that must be true of a restored database: one SELECT, whose first value is judged. */
export interface Assertion {
  readonly sql: string;
  /** Absent: the only database that is not the server's own. */
  readonly database?: string;
  /** What the value must be. With none of these it must be true. */
  readonly equals?: string | number | boolean;
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** How a plan wants its snapshots proven. */
export interface DrillSettings {
  readonly assertions: readonly Assertion[];
  /** How long each assertion may take, in seconds. */
  readonly timeoutSeconds: number;
  /** Where to restore to for the time of the drill: an absolute path. Absent: the system's folder for temporary files. */
  readonly folder?: string;
  /** Of a container that the server runs in. Absent: programs of this host, or those that come with Respaldo. */
  readonly image?: string;
}

export const DEFAULT_DRILL: DrillSettings = { assertions: [], timeoutSeconds: 300 };

/** `fetch`: out of the repository; `start`: until the server answers; `load`: a dump into it. These are the recovery. */
export type DrillPhase = 'fetch' | 'start' | 'load' | 'check';

/** In seconds; a phase that the snapshot does not need is absent. */
export type DrillTimes = Readonly<Partial<Record<DrillPhase, number>>>;

/** One thing that was looked at. */
export interface DrillCheck {
  readonly name: string;
  readonly passed: boolean;
  /** What was seen: of a check that failed, why. */
  readonly detail: string;
}

/** How long a restore takes until it can be used, in seconds. */
export function recoverySeconds({ fetch = 0, start = 0, load = 0 }: DrillTimes): number {
  return fetch + start + load;
}

/**
 * Judges what an assertion's SELECT gave.
 * @param values the first column of its rows, as the server wrote them; null is NULL
 */
export function judge(assertion: Assertion, values: readonly (string | null)[]): Omit<DrillCheck, 'name'> {
  const [value] = values;
  if (values.length !== 1 || value === undefined)
    return { passed: false, detail: `it gave ${String(values.length)} rows instead of one` };
  const failures = value === null ? ['it is NULL'] : failuresOf(assertion, value);
  return { passed: failures.length === 0, detail: failures.length === 0 ? shown(value ?? '') : failures.join('; ') };
}

function failuresOf({ equals, atLeast, atMost }: Assertion, value: string): readonly string[] {
  const wanted = equals ?? (atLeast === undefined && atMost === undefined ? true : undefined);
  return [
    ...(wanted === undefined || isEqual(value, wanted) ? [] : [`it is ${shown(value)} instead of ${String(wanted)}`]),
    ...(atLeast === undefined || numberOf(value) >= atLeast
      ? []
      : [`it is ${shown(value)}, and must be at least ${String(atLeast)}`]),
    ...(atMost === undefined || numberOf(value) <= atMost
      ? []
      : [`it is ${shown(value)}, and may be at most ${String(atMost)}`]),
  ];
}

function isEqual(value: string, wanted: string | number | boolean): boolean {
  if (typeof wanted === 'boolean') return value === (wanted ? 't' : 'f') || value === String(wanted);
  return typeof wanted === 'number' ? numberOf(value) === wanted : value === wanted;
}

/** NaN, of which no comparison is true, for what is no number. */
function numberOf(value: string): number {
  return value.trim() === '' ? NaN : Number(value);
}

function shown(value: string): string {
  const short = value.length > 60 ? `${value.slice(0, 60)}…` : value;
  return value === 't' ? 'true' : value === 'f' ? 'false' : short;
}
