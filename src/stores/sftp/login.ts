import { readFile } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import type { AnyAuthMethod, ConnectConfig } from 'ssh2';

import { RespaldoError, errnoOf } from '../../errors.ts';
import { hostName, judge, linesAbout, parseKnownHosts, type KnownHost } from './known-hosts.ts';
import { describeSftp, type SftpAddress } from './address.ts';

/** Everything needed to log in to one server. */
export interface Login {
  readonly config: ConnectConfig;
  /** For messages: which keys are offered. */
  readonly offered: readonly string[];
  /** Why the server's own key was refused, once it was. */
  refusal(): RespaldoError | undefined;
}

/** Keys of the types that OpenSSH looks for, in its order. */
const IDENTITIES = ['id_rsa', 'id_ecdsa', 'id_ed25519'];
const SIGNATURES: Readonly<Record<string, readonly string[]>> = {
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'],
};
/** What ssh2 can verify, in the order in which it is asked for where nothing is known. */
const HOST_KEYS = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521', 'ssh-rsa'];
/** A server that says nothing for so long is gone. Milliseconds. */
const SILENCE = { keepaliveInterval: 10_000, keepaliveCountMax: 3, readyTimeout: 30_000 };

/**
 * Reads keys and known hosts from the files of this user.
 * @param workingDirectory where a relative path in the address starts from.
 * @throws RespaldoError `store-refused` if the key that the address names cannot be used.
 */
export async function prepareLogin(address: SftpAddress, workingDirectory: string): Promise<Login> {
  const username = address.user ?? userInfo().username;
  const expand = (path: string) => resolve(workingDirectory, path.replace(/^~(?=\/)/, homedir()));
  const { methods, offered } = await methodsOf(address.identity && expand(address.identity), username);
  const lines = linesAbout(
    await knownHosts(address.knownHosts && expand(address.knownHosts)),
    address.host,
    address.port,
  );
  let refusal: RespaldoError | undefined;
  const config: ConnectConfig = {
    host: address.host,
    port: address.port,
    username,
    authHandler: methods,
    // The type that is known comes first: a server has several keys, and any of them would do for itself.
    algorithms: {
      serverHostKey: algorithmsFor(lines) as NonNullable<ConnectConfig['algorithms']>['serverHostKey'] & [],
    },
    hostVerifier: (key: Buffer) => {
      refusal = refuse(address, lines, key);
      return refusal === undefined;
    },
    ...SILENCE,
  };
  return { config, offered, refusal: () => refusal };
}

/** A key that the address names comes before the agent's, the usual ones after: that is OpenSSH's order, too. */
async function methodsOf(identity: string | undefined, username: string) {
  const { SSH_AUTH_SOCK: agent } = process.env;
  const agents: AnyAuthMethod[] = agent ? [{ type: 'agent', username, agent }] : [];
  const files = identity === undefined ? IDENTITIES.map((name) => join(homedir(), '.ssh', name)) : [identity];
  const keys: AnyAuthMethod[] = [];
  const offered: string[] = [];
  for (const file of files) {
    const key = await readKey(file, identity !== undefined, agents.length > 0);
    if (key === undefined) continue;
    keys.push({ type: 'publickey', username, key });
    offered.push(file);
  }
  return {
    methods: identity === undefined ? [...agents, ...keys] : [...keys, ...agents],
    offered: [...(agent ? ['the keys of the ssh-agent'] : []), ...offered],
  };
}

/** A private key, or nothing where the file is missing, or sealed by a passphrase. */
async function readKey(file: string, demanded: boolean, hasAgent: boolean): Promise<Buffer | undefined> {
  let content: Buffer;
  try {
    content = await readFile(file);
  } catch (error) {
    if (!demanded) return undefined;
    throw new RespaldoError('store-refused', `cannot read the private key ${file} (${errnoOf(error) ?? 'unknown'})`, {
      hint: 'The address of the repository names it. Check its path and permissions.',
      cause: error,
    });
  }
  const { default: ssh2 } = await import('ssh2');
  const parsed = ssh2.utils.parseKey(content);
  if (!(parsed instanceof Error)) return content;
  // The agent may hold the same key unsealed.
  if (!demanded || hasAgent) return undefined;
  throw new RespaldoError('store-refused', `the private key ${file} cannot be used: ${parsed.message}`, {
    hint: 'A key with a passphrase is used through an agent: eval "$(ssh-agent)" && ssh-add, then try again.',
  });
}

async function knownHosts(file: string | undefined): Promise<KnownHost[]> {
  const usual = [join(homedir(), '.ssh/known_hosts'), join(homedir(), '.ssh/known_hosts2'), '/etc/ssh/ssh_known_hosts'];
  const read = (file === undefined ? usual : [file]).map(async (path) => {
    try {
      return parseKnownHosts(await readFile(path, 'utf8'), path);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return [];
      throw new RespaldoError(
        'store-refused',
        `cannot read the known hosts in ${path} (${errnoOf(error) ?? 'unknown'})`,
        { hint: 'Without them nobody can tell that the server is the right one.', cause: error },
      );
    }
  });
  return (await Promise.all(read)).flat();
}

function algorithmsFor(lines: readonly KnownHost[]): string[] {
  const known = new Set(lines.filter(({ revoked }) => !revoked).map(({ type }) => type));
  const ordered = [...HOST_KEYS.filter((type) => known.has(type)), ...HOST_KEYS.filter((type) => !known.has(type))];
  return ordered.flatMap((type) => SIGNATURES[type] ?? [type]);
}

function refuse(address: SftpAddress, lines: readonly KnownHost[], key: Buffer): RespaldoError | undefined {
  const verdict = judge(lines, key);
  const name = hostName(address.host, address.port);
  const where = describeSftp(address);
  switch (verdict.verdict) {
    case 'known':
      return undefined;
    case 'unknown': {
      const port = address.port === 22 ? '' : `-p ${address.port} `;
      return new RespaldoError('store-refused', `the host key of ${name} is not known (${where})`, {
        hint: `Compare it with what the server's owner tells you, then trust it: ssh-keyscan ${port}${address.host} >> ${address.knownHosts ?? '~/.ssh/known_hosts'}`,
      });
    }
    case 'changed':
      return new RespaldoError(
        'store-refused',
        `THE HOST KEY OF ${name} HAS CHANGED: it is not the one in ${verdict.place}. Somebody may be listening in; nothing was sent (${where})`,
        { hint: `Ask the server's owner. If the key was really replaced: ssh-keygen -R '${name}', then ssh-keyscan.` },
      );
    case 'revoked':
      return new RespaldoError('store-refused', `the host key of ${name} is revoked in ${verdict.place} (${where})`, {
        hint: "Whoever has this key may be somebody else. Ask the server's owner.",
      });
  }
}
