import type { ServerRestorePlan } from '../../sources/source.ts';
import { quoted } from '../printable.ts';
import { count, formatBytes, formatDuration } from '../units.ts';

/**
 * What a restore into a server is going to do.
 * @param what the snapshot or file.
 * @param expected milliseconds that it will take, where earlier runs tell.
 */
export function serverPlanLines(what: string, plan: ServerRestorePlan, expected: number | undefined): string[] {
  const { server, serverVersion, dumpVersion, databases, missingRoles, neededBytes, freeBytes, obstacles } = plan;
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
    ...obstacles.map((obstacle) => `  obstacle  ${obstacle}`),
  ];
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
  const { server, serverVersion, dumpVersion, databases, missingRoles, neededBytes, freeBytes, obstacles } = plan;
  return {
    message_type: 'plan',
    server,
    server_version: serverVersion,
    dump_version: dumpVersion,
    databases,
    missing_roles: missingRoles,
    needed_bytes: neededBytes,
    free_bytes: freeBytes,
    expected_seconds: expected === undefined ? undefined : Math.round(expected / 1000),
    obstacles,
  };
}
