import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

import type { Clock } from '../../clock.ts';
import { errnoOf, RespaldoError } from '../../errors.ts';
import type { Cluster, Environment } from './cluster.ts';
import type { Credentials, Proof } from './credentials.ts';
import { FixedProof, Login, TokenFile } from './credentials.ts';

const cluster = z.object({
  server: z.string(),
  'certificate-authority': z.string().optional(),
  'certificate-authority-data': z.string().optional(),
  'insecure-skip-tls-verify': z.boolean().default(false),
  'tls-server-name': z.string().optional(),
  'proxy-url': z.string().optional(),
});
const login = z.object({
  apiVersion: z.string(),
  command: z.string(),
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
  installHint: z.string().optional(),
  provideClusterInfo: z.boolean().default(false),
});
const user = z.object({
  token: z.string().optional(),
  tokenFile: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  'client-certificate': z.string().optional(),
  'client-certificate-data': z.string().optional(),
  'client-key': z.string().optional(),
  'client-key-data': z.string().optional(),
  'auth-provider': z.unknown().optional(),
  exec: login.nullish(),
});
const context = z.object({ cluster: z.string(), user: z.string().default(''), namespace: z.string().optional() });

const namedList = <T extends z.ZodType>(key: string, value: T) =>
  z
    .array(
      z
        .object({ name: z.string(), [key]: value })
        .transform((it) => ({ name: it['name'] as string, value: it[key] as z.output<T> })),
    )
    .nullish();
const kubeconfig = z.object({
  'current-context': z.string().nullish(),
  clusters: namedList('cluster', cluster),
  users: namedList('user', user),
  contexts: namedList('context', context),
});

/** What a name means, and the folder that its relative paths start from. */
interface Found<T> {
  readonly value: T;
  readonly folder: string;
}

/**
 * A context of kubeconfig files; where several files tell of the same thing, the first one counts, as for kubectl.
 * @param wanted the context's name; absent: the current one.
 * @throws RespaldoError `config`
 */
export async function readKubeconfig(
  files: readonly string[],
  wanted: string | undefined,
  env: Environment,
  clock: Clock,
): Promise<Cluster> {
  const all = await Promise.all(files.map(async (file) => ({ file, content: await parseFile(file) })));
  const find = <T>(
    of: (content: z.infer<typeof kubeconfig>) => readonly { name: string; value: T }[] | null | undefined,
    name: string,
  ) => {
    for (const { file, content } of all) {
      const found = of(content)?.find((it) => it.name === name);
      if (found !== undefined) return { value: found.value, folder: path.dirname(path.resolve(file)) };
    }
    return undefined;
  };
  const name = wanted ?? all.map(({ content }) => content['current-context'] ?? '').find((it) => it !== '');
  const chosen = name === undefined ? undefined : find((it) => it.contexts, name)?.value;
  if (name === undefined || chosen === undefined)
    throw noContext(
      name,
      all.flatMap(({ content }) => content.contexts ?? []),
    );
  const at = find((it) => it.clusters, chosen.cluster);
  const as = find((it) => it.users, chosen.user);
  if (at === undefined) throw unusable(`the context "${name}" names a cluster that is not there: ${chosen.cluster}`);
  if (as === undefined && chosen.user !== '')
    throw unusable(`the context "${name}" names a user who is not there: ${chosen.user}`);
  return {
    ...(await serverOf(at)),
    namespace: chosen.namespace ?? 'default',
    credentials: as === undefined ? new FixedProof({}) : await credentialsOf(as, at, env, clock),
  };
}

async function serverOf({
  value,
  folder,
}: Found<z.infer<typeof cluster>>): Promise<Omit<Cluster, 'namespace' | 'credentials'>> {
  const server = URL.parse(value.server);
  if (server === null) throw unusable(`the cluster’s address is not one: ${value.server}`);
  if (value['proxy-url'] !== undefined)
    throw unusable('the cluster is to be reached through a proxy (proxy-url), which Respaldo cannot do');
  const ca = await inlineOrFile(value['certificate-authority-data'], value['certificate-authority'], folder);
  const serverName = value['tls-server-name'];
  return {
    server,
    insecure: value['insecure-skip-tls-verify'],
    ...(ca !== undefined && { ca }),
    ...(serverName !== undefined && { serverName }),
  };
}

async function credentialsOf(
  { value, folder }: Found<z.infer<typeof user>>,
  { value: at }: Found<z.infer<typeof cluster>>,
  env: Environment,
  clock: Clock,
): Promise<Credentials> {
  const cert = await inlineOrFile(value['client-certificate-data'], value['client-certificate'], folder);
  const key = await inlineOrFile(value['client-key-data'], value['client-key'], folder);
  const certificate = { ...(cert !== undefined && { cert }), ...(key !== undefined && { key }) };
  // A token that is written out counts more than a file, and both more than a password: as for kubectl.
  if (value.exec != null) return new Login(loginCommand(value.exec, folder, at, env), clock);
  if (value.tokenFile !== undefined) return new TokenFile(path.resolve(folder, value.tokenFile));
  const authorization = authorizationOf(value);
  if (authorization === undefined && cert === undefined && value['auth-provider'] !== undefined)
    throw unusable(
      'the user logs in by an auth-provider, which Kubernetes has given up: use exec, a token or a certificate',
    );
  return new FixedProof({ ...certificate, ...(authorization !== undefined && { authorization }) });
}

function authorizationOf({ token, username, password }: z.infer<typeof user>): Proof['authorization'] {
  if (token !== undefined) return `Bearer ${token}`;
  if (username === undefined) return undefined;
  return `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}`;
}

/** A command with a slash that is not absolute lies beside the file. */
function loginCommand(
  { apiVersion, command, args, env: added, installHint, provideClusterInfo }: z.infer<typeof login>,
  folder: string,
  at: z.infer<typeof cluster>,
  env: Environment,
) {
  return {
    apiVersion,
    command: command.includes('/') ? path.resolve(folder, command) : command,
    args: args ?? [],
    env: { ...env, ...Object.fromEntries((added ?? []).map((it) => [it.name, it.value])) },
    ...(installHint !== undefined && { installHint }),
    ...(provideClusterInfo && { cluster: at }),
  };
}

async function inlineOrFile(
  data: string | undefined,
  file: string | undefined,
  folder: string,
): Promise<string | undefined> {
  if (data !== undefined && data !== '') return Buffer.from(data, 'base64').toString('utf8');
  return file === undefined || file === '' ? undefined : read(path.resolve(folder, file));
}

async function parseFile(file: string): Promise<z.infer<typeof kubeconfig>> {
  const content = await read(file);
  const { parse } = await import('yaml');
  try {
    return kubeconfig.parse(parse(content) ?? {});
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw unusable(`${file} is no kubeconfig: ${reason}`);
  }
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new RespaldoError('config', `cannot read ${file}: ${errnoOf(error) ?? String(error)}`, {
      hint: 'KUBECONFIG names the file, or it names another one.',
      cause: error,
    });
  }
}

function noContext(name: string | undefined, all: readonly { name: string }[]): RespaldoError {
  const names = all.map((it) => it.name);
  return new RespaldoError(
    'config',
    name === undefined ? 'the kubeconfig has no current context' : `the kubeconfig has no context "${name}"`,
    { hint: names.length === 0 ? 'It has none at all.' : `It has: ${names.join(', ')}.` },
  );
}

function unusable(message: string): RespaldoError {
  return new RespaldoError('config', message, { hint: 'Look at the kubeconfig: kubectl config view' });
}
