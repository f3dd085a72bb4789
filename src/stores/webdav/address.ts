import type { RespaldoError } from '../../errors.ts';
import { AddressRefusal } from '../address-refusal.ts';

/** Where a folder lies on a server that speaks WebDAV. */
export interface WebDavAddress {
  readonly secure: boolean;
  /** Name and port, as a URL has them: `dav.example.org`, `[::1]:8080`. */
  readonly host: string;
  /** Absent: the server asks for nobody's name. */
  readonly user?: string;
  /** Decoded, with a slash at its beginning and none at its end; empty: the server's root. */
  readonly folder: string;
  /** A file of certificates to trust besides the system's. */
  readonly caFile?: string;
}

const FORMS =
  'It is written webdav:https://user@host/folder, or webdav:http://… for a server without TLS. A certificate of its own is named by ?ca-file=FILE.';
const refusal = new AddressRefusal('WebDAV', FORMS);
const OPTIONS = ['ca-file'];

/**
 * An address such as `https://user@host:port/folder?ca-file=FILE`; without `https:` it is the same. A percent sign
 * begins an escape.
 * @param rest what follows `webdav:`.
 * @throws RespaldoError `usage`, without what may be a password.
 */
export function parseWebDavAddress(rest: string): WebDavAddress {
  const whole = /^https?:\/\//i.test(rest) ? rest : `https://${rest.replace(/^\/\//, '')}`;
  const url = URL.parse(whole);
  if (url === null || url.hostname === '') throw refusal.wrong('it names no server');
  if (url.password !== '') throw withPassword();
  if (whole.includes('#')) throw refusal.wrong('a "#" is written %23');
  return {
    secure: url.protocol === 'https:',
    host: url.host,
    ...(url.username !== '' && { user: refusal.decoded(url.username) }),
    folder: soundFolder(refusal.decoded(url.pathname)),
    ...optionsOf(url.searchParams),
  };
}

/** The address as it is written, for messages. */
export function describeWebDav({ secure, host, user, folder }: WebDavAddress): string {
  const who = user === undefined ? '' : `${encodeURIComponent(user)}@`;
  return `webdav:${secure ? 'https' : 'http'}://${who}${host}${encodePath(folder)}`;
}

/** Each part of a path as a URL has it. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

function soundFolder(path: string): string {
  if (path.includes('\0')) throw refusal.wrong('its folder has a NUL byte');
  return path.replace(/\/+/g, '/').replace(/\/$/, '');
}

function optionsOf(given: URLSearchParams): Pick<WebDavAddress, 'caFile'> {
  for (const name of given.keys())
    if (!OPTIONS.includes(name))
      throw refusal.wrong(`an address has no option "${name}", only ${OPTIONS.join(' and ')}`);
  const caFile = given.get('ca-file');
  return caFile ? { caFile } : {};
}

function withPassword(): RespaldoError {
  return refusal.holding(
    'a password',
    'Set RESPALDO_WEBDAV_PASSWORD, or name the password under credentials: in respaldo.yaml.',
  );
}
