import { backupCandidates, PRODUCTS, type DetectedServer } from '../domain/detection.ts';
import type { SecretReference } from '../domain/plan.ts';
import type { RuntimeTarget } from '../domain/runtime-target.ts';
import { NAME } from './names.ts';

/** What a first `respaldo.yaml` is written from. */
export interface Starter {
  readonly url: string;
  readonly password: SecretReference;
  readonly servers: readonly DetectedServer[];
}

/** A first `respaldo.yaml`, with a plan for each server that was found and comments that tell why. Holds no secret. */
export function starterConfig({ url, password, servers }: Starter): string {
  const planned = backupCandidates(servers);
  const others = servers.filter((server) => !planned.includes(server));
  const names = new Set<string>();
  const plans = planned.flatMap((server) => ['', ...planLines(server, uniqueName(server.name, names))]);
  return [
    '# What Respaldo backs up, where to, and how long it is kept. All keys: respaldo config schema',
    '# After a change: respaldo config validate',
    '',
    'repositories:',
    '  main:',
    '    # A folder, or a place elsewhere: sftp:user@host:/folder, s3:https://host/bucket/folder',
    `    url: ${scalar(url)}`,
    '    # Never the password itself: { env: NAME }, { file: path } or { command: [program, argument] }',
    `    password: ${secret(password)}`,
    '',
    'plans:',
    ...(plans.length === 0 ? EXAMPLE : plans.slice(1)),
    ...others.flatMap((server) => ['', ...leftOut(server)]),
    '',
  ].join('\n');
}

const EXAMPLE = [
  '  # Nothing was found that could be backed up. A plan has a name and says what is protected:',
  '  # shop:',
  '  #   source: postgresql://postgres@localhost:5432/shop?method=logical',
  '  #   keep: { daily: 7, weekly: 4, monthly: 12 }',
  '  {}',
];

function planLines(server: DetectedServer, name: string): readonly string[] {
  const { target, address, login } = server;
  return [
    `  # ${comment(`${titleOf(server)}: ${server.reasons.join(', ')}`)}`,
    `  ${scalar(name)}:`,
    `    source: ${scalar(address)}`,
    `    # Login: ${comment(login)}. Otherwise: source: { address: …, password: { env: NAME } }`,
    ...byFilesLines(server),
    ...runtimeLines(target),
    '    keep: { daily: 7, weekly: 4, monthly: 12 }',
  ];
}

/** How the whole server is backed up by its files instead. */
function byFilesLines({ kind, physical, target, hostPorts }: DetectedServer): readonly string[] {
  if (kind !== 'postgres') return [];
  const [port] = hostPorts;
  const privilege = 'The user needs the REPLICATION privilege';
  if (physical !== undefined)
    return [
      `    # Its files instead of dumps, faster where it is large: source: ${comment(scalar(physical))}`,
      `    # ${privilege}.`,
    ];
  if (target.kind === 'host')
    return [
      '    # Its files instead of dumps, if it allows replication: method=physical at the end.',
      `    # ${privilege}.`,
    ];
  const there = port === undefined ? 'user@host:5432' : `postgres@localhost:${String(port)}`;
  return [
    '    # Its files instead of dumps, if it allows replication and can be reached from here: leave the runtime out, and',
    `    # source: postgresql://${there}/?method=physical. ${privilege}.`,
  ];
}

function leftOut(server: DetectedServer): readonly string[] {
  const why = server.obstacle === undefined ? 'a replica' : `not running (${server.obstacle})`;
  return [`  # Left out, since it is ${comment(`${why}: ${titleOf(server)}`)}`];
}

function titleOf({ kind, version, place }: DetectedServer): string {
  return `${PRODUCTS[kind]}${version === undefined ? '' : ` ${version}`} ${place === 'this host' ? 'on' : 'in'} ${place}`;
}

function runtimeLines(target: RuntimeTarget): readonly string[] {
  if (target.kind === 'host') return [];
  const { labels, container, context } = target;
  const settings = [
    ...(target.kind === 'kubernetes' ? [setting('namespace', target.namespace), setting('pod', target.pod)] : []),
    labels.length === 0 ? [] : [`labels: [${labels.map(quotedScalar).join(', ')}]`],
    setting('container', container),
    setting('context', context),
  ].flat();
  return ['    runtime:', `      ${target.kind}:`, ...settings.map((line) => `        ${line}`)];
}

function setting(name: string, value: string | undefined): readonly string[] {
  return value === undefined ? [] : [`${name}: ${scalar(value)}`];
}

function secret(reference: SecretReference): string {
  if ('env' in reference) return `{ env: ${scalar(reference.env)} }`;
  if ('file' in reference) return `{ file: ${quotedScalar(reference.file)} }`;
  return `{ command: [${reference.command.map(quotedScalar).join(', ')}] }`;
}

/** A plan's name is made of letters, digits, - and _; of two alike the second gets a number. */
function uniqueName(name: string, taken: Set<string>): string {
  const plain = name.replaceAll(/[^\p{L}\p{N}_-]+/gu, '-').replace(/^[-_]+|-+$/g, '');
  const base = NAME.test(plain) ? plain : 'postgres';
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? base : `${base}-${String(n)}`;
    if (taken.has(candidate)) continue;
    taken.add(candidate);
    return candidate;
  }
}

/** As it is where no reader of YAML could take it for something else. */
function scalar(text: string): string {
  const isPlain = /^[./]*[a-z][\w./:@?=&%-]*$/i.test(text) && !text.endsWith(':');
  return isPlain && !/^(?:true|false|null|yes|no|on|off|[yn]|\.nan|\.inf)$/i.test(text) ? text : quotedScalar(text);
}

/** JSON's strings are YAML's too. */
function quotedScalar(text: string): string {
  return JSON.stringify(text).replaceAll(UNPRINTABLE, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A comment ends with its line. */
function comment(text: string): string {
  return text.replaceAll(UNPRINTABLE, ' ');
}

const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;
