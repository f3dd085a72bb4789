/** What OpenSSH's `known_hosts` files say about a server's key. Pure. */
import { createHmac } from 'node:crypto';

/** A line of a file of known hosts. */
export interface KnownHost {
  /** `file:line`, for messages. */
  readonly place: string;
  /** Nobody may use this key any more. */
  readonly revoked: boolean;
  /** Patterns, or one hash. */
  readonly hosts: readonly string[];
  /** `ssh-ed25519` … */
  readonly type: string;
  /** In base64. */
  readonly key: string;
}

export type Verdict =
  | { readonly verdict: 'known' | 'unknown' }
  /** Another key of the same type is known, or this one is known to be bad. */
  | { readonly verdict: 'changed' | 'revoked'; readonly place: string };

/** Lines that cannot be understood are passed over, as OpenSSH does; so are certificate authorities. */
export function parseKnownHosts(text: string, file: string): KnownHost[] {
  return text.split('\n').flatMap((line, at) => {
    const words = line.trim().split(/\s+/);
    const marker = words[0]?.startsWith('@') ? words.shift() : undefined;
    const [hosts, type, key] = words;
    if (hosts === undefined || hosts.startsWith('#') || type === undefined || key === undefined) return [];
    if (marker !== undefined && marker !== '@revoked') return [];
    return [{ place: `${file}:${at + 1}`, revoked: marker === '@revoked', hosts: hosts.split(','), type, key }];
  });
}

/** The lines about this server. */
export function linesAbout(known: readonly KnownHost[], host: string, port: number): KnownHost[] {
  const name = hostName(host, port);
  return known.filter(({ hosts }) => matches(hosts, name));
}

/** How files of known hosts name a server: `[host]:port` where the port is not the usual one. */
export function hostName(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
}

/** @param lines those about the server. @param key the server's public key as it sent it. */
export function judge(lines: readonly KnownHost[], key: Uint8Array): Verdict {
  const encoded = Buffer.from(key).toString('base64');
  const revoked = lines.find((line) => line.revoked && line.key === encoded);
  if (revoked !== undefined) return { verdict: 'revoked', place: revoked.place };
  const trusted = lines.filter((line) => !line.revoked);
  if (trusted.some((line) => line.key === encoded)) return { verdict: 'known' };
  const [other] = trusted;
  return other === undefined ? { verdict: 'unknown' } : { verdict: 'changed', place: other.place };
}

function matches(patterns: readonly string[], name: string): boolean {
  let found = false;
  for (const pattern of patterns) {
    if (pattern.startsWith('|1|')) found ||= isHashOf(pattern, name);
    else if (pattern.startsWith('!')) {
      if (glob(pattern.slice(1)).test(name)) return false;
    } else found ||= glob(pattern).test(name);
  }
  return found;
}

/** `|1|salt|HMAC-SHA1 of the name|` */
function isHashOf(pattern: string, name: string): boolean {
  const [, , salt = '', hash] = pattern.split('|');
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash;
}

function glob(pattern: string): RegExp {
  const literal = pattern.toLowerCase().replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${literal.replaceAll('*', '.*').replaceAll('?', '.')}$`);
}
