/** What was detected, for people and programs. */
import { WHOLE_SERVER, type DetectedServer, type Detection, type Unseen } from '../../domain/detection.ts';
import type { RuntimeTarget } from '../../domain/runtime-target.ts';
import type { Output } from '../output.ts';
import { harmless, quoted } from '../printable.ts';
import { renderTable, type Column } from '../table.ts';
import { shellWord } from '../../domain/shell-word.ts';

const COLUMNS: readonly Column[] = [{ title: 'Name' }, { title: 'Where' }, { title: 'Version' }, { title: 'Why' }];

/** A line of the table for each reason. */
export function detectionTable(servers: readonly DetectedServer[], output: Output): string {
  const rows = servers.map(({ name, place, version, role, reasons, login, obstacle }) => [
    output.style(obstacle === undefined ? 'cyan' : 'yellow', quoted(name)),
    quoted(place),
    version === undefined ? '' : quoted(version),
    [
      ...reasons.map(quoted),
      ...(role === undefined ? [] : [`it is a ${role}`]),
      obstacle === undefined ? `login: ${quoted(login)}` : output.style('yellow', `not running: ${quoted(obstacle)}`),
    ].join('\n'),
  ]);
  return renderTable(COLUMNS, rows);
}

/** `Docker: no container engine listens at …` */
export function unseenLine({ kind, reason }: Unseen): string {
  const names = { host: 'This host', docker: 'Docker', kubernetes: 'Kubernetes' };
  return `${names[kind]} was not looked at: ${harmless(reason)}`;
}

/** The command that backs the server up. */
export function backupCommand({ target, address }: DetectedServer): string {
  const words = [...targetWords(target), ...(target.kind !== 'host' && address === WHOLE_SERVER ? [] : [address])];
  return ['respaldo backup', ...words.map(shellWord)].join(' ');
}

function targetWords(target: RuntimeTarget): readonly string[] {
  const option = (name: string, value: string | undefined): readonly string[] =>
    value === undefined ? [] : [name, value];
  switch (target.kind) {
    case 'host':
      return [];
    case 'docker':
      return [...option('--container', target.container), ...option('--context', target.context)];
    case 'kubernetes':
      return [
        ...(target.pod === undefined ? ['--runtime', 'kubernetes', '--labels', target.labels.join(',')] : []),
        ...option('--pod', target.pod),
        ...option('--namespace', target.namespace),
        ...option('--k8s-container', target.container),
        ...option('--context', target.context),
      ];
  }
}

export function detectionMessage({ servers, unseen }: Detection): Record<string, unknown> {
  return {
    message_type: 'detected',
    servers: servers.map(({ hostPorts, target, ...server }) => ({ ...server, runtime: target, host_ports: hostPorts })),
    not_looked_at: unseen.map(({ kind, reason, hint }) => ({ runtime: kind, reason, hint })),
  };
}
