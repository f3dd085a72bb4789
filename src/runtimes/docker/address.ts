import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import path from 'node:path';
import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { z } from 'zod';

import { errnoOf, RespaldoError } from '../../errors.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What TLS needs: PEM texts. */
export interface Tls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly rejectUnauthorized: boolean;
}

/** Where an engine listens. */
export type EngineAddress = { readonly name: string } & (
  { readonly socketPath: string } | { readonly host: string; readonly port: number; readonly tls?: Tls }
);

const cliConfig = z.object({ currentContext: z.string().optional() });
const contextMeta = z.object({
  Name: z.string(),
  Endpoints: z.object({
    docker: z.object({ Host: z.string().optional(), SkipTLSVerify: z.boolean().optional() }).optional(),
  }),
});

/**
 * Where the engine is, as Docker's own command line finds it: the context that is asked for, `DOCKER_HOST` (or Podman's
 * `CONTAINER_HOST`), `DOCKER_CONTEXT`, the current context, the usual sockets of Docker and Podman.
 * @throws RespaldoError `usage` for an address or context that cannot be used, `config` for a file that cannot be read.
 */
export async function engineAddress(context: string | undefined, env: Environment): Promise<EngineAddress> {
  const folder = nonEmpty(env['DOCKER_CONFIG']) ?? path.join(homeOf(env), '.docker');
  const host = nonEmpty(env['DOCKER_HOST']) ?? nonEmpty(env['CONTAINER_HOST']);
  if (context === undefined && host !== undefined) return parseHost(host, await tlsOf(env, folder));
  const name = context ?? nonEmpty(env['DOCKER_CONTEXT']) ?? (await currentContext(folder));
  if (name === undefined || name === 'default') return usualSocket(env);
  return contextAddress(name, folder);
}

/** @throws RespaldoError `usage` */
function parseHost(host: string, tls: Tls | undefined): EngineAddress {
  if (host.startsWith('/')) return { name: host, socketPath: host };
  const url = URL.parse(host);
  switch (url?.protocol) {
    case 'unix:':
      return { name: host, socketPath: decodeURIComponent(url.host + url.pathname) };
    case 'tcp:':
    case 'http:':
    case 'https:': {
      const secure = url.protocol === 'https:' ? (tls ?? { rejectUnauthorized: true }) : tls;
      const port = url.port === '' ? (secure ? 2376 : 2375) : Number(url.port);
      // An IPv6 address stands between brackets in an address only.
      return { name: host, host: url.hostname.replace(/^\[|\]$/g, ''), port, ...(secure && { tls: secure }) };
    }
    case 'ssh:':
      throw new RespaldoError('usage', `the Docker engine at ${host} cannot be reached through ssh`, {
        hint: 'Forward its socket, ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock HOST, and set DOCKER_HOST=unix:///tmp/docker.sock',
      });
    default:
      throw new RespaldoError('usage', `the address of the Docker engine is not one: ${host}`, {
        hint: 'It is such as unix:///var/run/docker.sock or tcp://host:2376: see DOCKER_HOST and `docker context ls`.',
      });
  }
}

async function currentContext(folder: string): Promise<string | undefined> {
  const file = path.join(folder, 'config.json');
  const text = await readIfThere(file);
  return text === undefined ? undefined : nonEmpty(parseJson(text, file, cliConfig).currentContext);
}

/** The context's files lie in folders that are named by the hash of its name. */
async function contextAddress(name: string, folder: string): Promise<EngineAddress> {
  const id = createHash('sha256').update(name).digest('hex');
  const file = path.join(folder, 'contexts', 'meta', id, 'meta.json');
  const text = await readIfThere(file);
  if (text === undefined) {
    throw new RespaldoError('usage', `there is no Docker context "${name}"`, {
      hint: '`docker context ls` shows those that there are.',
    });
  }
  const { Host, SkipTLSVerify = false } = parseJson(text, file, contextMeta).Endpoints.docker ?? {};
  if (Host === undefined) throw new RespaldoError('usage', `the Docker context "${name}" has no address`);
  return parseHost(Host, await readTls(path.join(folder, 'contexts', 'tls', id, 'docker'), !SkipTLSVerify));
}

/** As Docker's own command line understands its variables. */
async function tlsOf(env: Environment, folder: string): Promise<Tls | undefined> {
  const verify = nonEmpty(env['DOCKER_TLS_VERIFY']) !== undefined;
  if (!verify && nonEmpty(env['DOCKER_TLS']) === undefined) return undefined;
  const certificates = nonEmpty(env['DOCKER_CERT_PATH']) ?? folder;
  return (await readTls(certificates, verify)) ?? { rejectUnauthorized: verify };
}

async function readTls(folder: string, verify: boolean): Promise<Tls | undefined> {
  const [ca, cert, key] = await Promise.all(
    ['ca.pem', 'cert.pem', 'key.pem'].map((name) => readIfThere(path.join(folder, name))),
  );
  if (ca === undefined && cert === undefined && key === undefined) return undefined;
  return { rejectUnauthorized: verify, ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}

/** The first that is there; if none is, the one that everybody expects. */
async function usualSocket(env: Environment): Promise<EngineAddress> {
  const own = nonEmpty(env['XDG_RUNTIME_DIR']);
  const usual = '/var/run/docker.sock';
  const sockets = [
    usual,
    ...(own === undefined ? [] : [path.join(own, 'docker.sock'), path.join(own, 'podman/podman.sock')]),
    path.join(homeOf(env), '.docker/run/docker.sock'),
    '/run/podman/podman.sock',
  ];
  for (const socketPath of sockets) {
    if (await isThere(socketPath)) return { name: `unix://${socketPath}`, socketPath };
  }
  return { name: `unix://${usual}`, socketPath: usual };
}

/** Also where we may not look: then the error is told when it is used. */
async function isThere(file: string): Promise<boolean> {
  return access(file, constants.F_OK).then(
    () => true,
    (error: unknown) => errnoOf(error) === 'EACCES',
  );
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
    throw new RespaldoError('config', `cannot read ${file}: ${errno ?? String(error)}`, { cause: error });
  }
}

function parseJson<T>(text: string, file: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new RespaldoError('config', `${file} is not what Docker writes there`, {
      hint: 'Mend it with `docker context`, or set DOCKER_HOST.',
      cause: error,
    });
  }
}

function homeOf(env: Environment): string {
  return nonEmpty(env['HOME']) ?? homedir();
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
