import type { PlannedReplay, ServerRestorePlan } from '../../sources/source.ts';
import { quoted } from '../printable.ts';
import { count, formatBytes, formatDuration } from '../units.ts';

/**
 * What a restore into a server is going to do.
 * @param what the snapshot or file.
 * @param expected milliseconds that it will take, where earlier runs tell.
 */
export function serverPlanLines(what: string, plan: ServerRestorePlan, expected: number | undefined): string[] {
  const { server, serverVersion, dumpVersion, databases, missingRoles, unfinished } = plan;
  const { abandoned = [], neededBytes, freeBytes, replay, obstacles } = plan;
  const free = freeBytes === undefined ? '' : `, ${formatBytes(freeBytes)} free`;
  return [
    `restoring ${what}`,
    `  to        ${server}, version ${serverVersion}${free}`,
    ...(dumpVersion === undefined ? [] : [`  dump of   version ${dumpVersion}`]),
    `  takes     about ${formatBytes(neededBytes)}${timeText(expected)}`,
    ...databases.map(({ name, target, replaces }) => {
      const as = name === target ? quoted(target) : `${quoted(name)} as ${quoted(target)}`;
      return `  database  ${as}: ${replaces === undefined ? 'new' : replacesText(replaces)}`;
    }),
    ...(missingRoles.length === 0 ? [] : [`  lacks     the roles ${missingRoles.map(quoted).join(', ')}`]),
    ...abandoned.map(({ name, bytes, isDropped }) =>
      isDropped
        ? `  drops     ${quoted(name)} (${formatBytes(bytes)}), which a killed restore has left half made`
        : `  note      ${quoted(name)} (${formatBytes(bytes)}) was left half made by a killed restore: --drop-unfinished drops it`,
    ),
    ...unfinished
      .filter((name) => !abandoned.some((left) => left.name === name))
      .map(
        (name) =>
          `  note      ${quoted(name)} is there: a restore is filling it, or was killed, and then it can be dropped`,
      ),
    ...(replay === undefined ? [] : replayLines(replay)),
    ...obstacles.map((obstacle) => `  obstacle  ${obstacle}`),
  ];
}

function replayLines({
  from,
  to,
  files,
  transactions,
  leftOut,
  lastTime,
  lastGtid,
  stopsBefore,
}: PlannedReplay): string[] {
  const last =
    lastTime === undefined ? '' : `, the last of ${lastTime}${lastGtid === undefined ? '' : ` (${lastGtid})`}`;
  const out = [
    ...(leftOut.accounts === 0 ? [] : [`${count(leftOut.accounts, 'statement')} about accounts`]),
    ...(leftOut.others === 0 ? [] : [`${count(leftOut.others, 'statement')} of other databases`]),
  ];
  return [
    `  then      ${count(transactions, 'transaction')} of the log${last}`,
    `  log       ${from} to ${to}, ${count(files.length, 'file')}`,
    ...(out.length === 0 ? [] : [`  leaves    ${out.join(' and ')} out`]),
    stopsBefore === undefined
      ? '  up to     the end of the stored log'
      : `  stops at  ${stopsBefore.position}, ${stopsBefore.time}${stopsBefore.gtid === undefined ? '' : ` (${stopsBefore.gtid})`}${statementText(stopsBefore.statement)}`,
  ];
}

const LONGEST_STATEMENT = 100;

function statementText(statement: string | undefined): string {
  if (statement === undefined) return '';
  const line = statement.replaceAll(/\s+/g, ' ');
  return `: ${quoted(line.length > LONGEST_STATEMENT ? `${line.slice(0, LONGEST_STATEMENT)}…` : line)}`;
}

/** What was done of it. */
export function replayedLine({ transactions, to }: PlannedReplay): string {
  return `replayed ${count(transactions, 'transaction')} of the log, up to ${to}`;
}

function timeText(expected: number | undefined): string {
  return expected === undefined ? '' : ` and ${formatDuration(expected)}, as earlier restores did`;
}

function replacesText({ bytes, sessions }: { readonly bytes: number; readonly sessions: number }): string {
  const used = sessions === 0 ? '' : `, in use by ${count(sessions, 'session')}`;
  return `replaces the one that is there (${formatBytes(bytes)}${used})`;
}

/** The plan as scripts read it. */
export function serverPlanMessage(plan: ServerRestorePlan, expected: number | undefined): Record<string, unknown> {
  const { server, serverVersion, dumpVersion, databases, missingRoles, unfinished } = plan;
  const { neededBytes, freeBytes, obstacles } = plan;
  return {
    message_type: 'plan',
    server,
    server_version: serverVersion,
    dump_version: dumpVersion,
    databases,
    missing_roles: missingRoles,
    unfinished,
    abandoned: plan.abandoned?.map(({ name, bytes, isDropped }) => ({ name, bytes, dropped: isDropped })),
    needed_bytes: neededBytes,
    free_bytes: freeBytes,
    expected_seconds: expected === undefined ? undefined : Math.round(expected / 1000),
    replay: plan.replay,
    obstacles,
  };
}
