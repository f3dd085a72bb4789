import { recoverySeconds, type DrillPhase } from '../../domain/drill.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import type { VerifyOutcome } from '../../operations/verify.ts';
import type { Output } from '../output.ts';
import { harmless } from '../printable.ts';
import { shortId } from './snapshot.ts';

const PHASES = ['fetch', 'start', 'load', 'check'] as const satisfies readonly DrillPhase[];
const DONE: Readonly<Record<DrillPhase, string>> = {
  fetch: 'restored',
  start: 'started',
  load: 'loaded',
  check: 'checked',
};
const DOING: Readonly<Record<DrillPhase, string>> = {
  fetch: 'restoring the files',
  start: 'starting a server',
  load: 'loading the dumps',
  check: 'checking what is there',
};

export function phaseLine(phase: DrillPhase): string {
  return DOING[phase];
}

/** What a drill found. */
export function verifyLines(before: Snapshot, { state, id, report }: VerifyOutcome, output: Output): string[] {
  const { server, times, checks } = report;
  const took = PHASES.flatMap((phase) => {
    const seconds = times[phase];
    return seconds === undefined ? [] : [`${DONE[phase]} in ${shown(seconds)}`];
  });
  return [
    ...(server === undefined ? [] : [`  with     ${harmless(server)}`]),
    ...(took.length === 0 ? [] : [`  took     ${took.join(', ')}`]),
    ...checks.map(({ name, passed, detail }) => {
      const mark = passed ? output.style('green', 'ok  ') : output.style('red', 'FAIL');
      return `  ${mark}     ${harmless(name)}: ${harmless(detail)}`;
    }),
    ...verdict(state, recoverySeconds(times), output),
    ...(id === before.id ? [] : [`snapshot ${shortId(before.id)} is now ${shortId(id)}`]),
  ];
}

function verdict(state: VerifyOutcome['state'], seconds: number, output: Output): string[] {
  const word = output.style('green', state);
  switch (state) {
    case 'proven':
      return [`${word}: it can be used ${shown(seconds)} after the start of a restore`];
    case 'verified':
      return [`${word}: every byte is as it was stored; whether it can be used was not tried`];
    case 'refuted':
      return [];
  }
}

/** For programs. Times in seconds. */
export function verifyMessage(
  before: Snapshot,
  { state, id, report, findings }: VerifyOutcome,
): Record<string, unknown> {
  const { server, times, checks } = report;
  return {
    message_type: 'summary',
    state,
    snapshot_id: id,
    snapshot_id_before: before.id,
    server,
    recovery_seconds: state === 'proven' ? rounded(recoverySeconds(times)) : undefined,
    seconds: Object.fromEntries(Object.entries(times).map(([phase, seconds]) => [phase, rounded(seconds)])),
    checks,
    findings,
  };
}

function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

/** `1.2 s`, `3 min 20 s` */
function shown(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${String(Math.floor(seconds / 60))} min ${String(Math.round(seconds % 60))} s`;
}
