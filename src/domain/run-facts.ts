import type { HookStage, RunState } from './hook.ts';

/** What there is to tell of a run of a plan while it goes on. */
export interface RunSoFar {
  readonly plan: string;
  /** Another one for each run. */
  readonly run: string;
  readonly host: string;
  readonly startedAt: Date;
  readonly state: 'running' | RunState;
  /** Where it stores, as people write it; without secrets. */
  readonly destinations: readonly string[];
  /** Ids, in the order in which they were taken. */
  readonly snapshots: readonly string[];
  readonly bytesProcessed: number;
  readonly bytesAdded: number;
  /** Why it failed, or is incomplete. */
  readonly error?: { readonly code: string; readonly message: string };
}

/** The names by which hooks know them. */
export const FACTS = [
  'plan',
  'run',
  'host',
  'stage',
  'status',
  'started',
  'seconds',
  'destinations',
  'snapshot',
  'snapshots',
  'bytes-processed',
  'bytes-added',
  'error-code',
  'error',
] as const;

export type RunFacts = Readonly<Record<(typeof FACTS)[number], string>>;

/** What hooks are told. Empty: there is none. */
export function factsOf(run: RunSoFar, stage: HookStage, now: Date): RunFacts {
  return {
    plan: run.plan,
    run: run.run,
    host: run.host,
    stage,
    status: run.state,
    started: run.startedAt.toISOString(),
    seconds: String(Math.round((now.getTime() - run.startedAt.getTime()) / 1000)),
    destinations: run.destinations.join('\n'),
    snapshot: run.snapshots.at(-1) ?? '',
    snapshots: run.snapshots.join(' '),
    'bytes-processed': String(run.bytesProcessed),
    'bytes-added': String(run.bytesAdded),
    'error-code': run.error?.code ?? '',
    error: run.error?.message ?? '',
  };
}

/** The same as variables for programs: `RESPALDO_PLAN`, `RESPALDO_ERROR_CODE`. */
export function environmentOf(facts: RunFacts): Readonly<Record<string, string>> {
  return Object.fromEntries(FACTS.map((name) => [variableOf(name), facts[name].replaceAll('\0', '')]));
}

function variableOf(name: string): string {
  return `RESPALDO_${name.toUpperCase().replaceAll('-', '_')}`;
}

const PLACE = /\{([a-z]+(?:-[a-z]+)*)\}/g;

/** The text with the facts in place of `{plan}`, `{status}` …; @param write how a fact is written there */
export function filled(template: string, facts: RunFacts, write: (fact: string) => string = String): string {
  return template.replace(PLACE, (place, name: string) => (isFact(name) ? write(facts[name]) : place));
}

/** What a template asks for that nobody knows. */
export function unknownFacts(template: string): readonly string[] {
  return [...template.matchAll(PLACE)].flatMap(([, name = '']) => (isFact(name) ? [] : [name]));
}

function isFact(name: string): name is (typeof FACTS)[number] {
  return (FACTS as readonly string[]).includes(name);
}
