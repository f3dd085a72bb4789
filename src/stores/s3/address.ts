import { posix } from 'node:path';

import type { RespaldoError } from '../../errors.ts';
import { AddressRefusal } from '../address-refusal.ts';

/** Where a repository lies on a server that speaks S3. */
export interface S3Address {
  readonly secure: boolean;
  /** Name and port, as a URL has them: `s3.example.org`, `[::1]:9000`. */
  readonly host: string;
  readonly bucket: string;
  /** Before each key; empty, or without a slash at its end. */
  readonly prefix: string;
  /** Absent: that of the environment, of the host's name, or `us-east-1`. */
  readonly region?: string;
  /** Whether the bucket is named in the path or before the host. `auto`: before Amazon's, else in the path. */
  readonly lookup: 'auto' | 'path' | 'dns';
  /** A file of certificates to trust besides the system's. */
  readonly caFile?: string;
  /** A profile of `~/.aws/config` and `~/.aws/credentials`. */
  readonly profile?: string;
  /** How objects are kept there. */
  readonly keeping: S3Keeping;
}

/** What is asked of the server for each new object. */
export interface S3Keeping {
  readonly storageClass?: string;
  /** Encrypted by the server: by a key of its own, or by one of its key service, the default one if none is named. */
  readonly encryption?: 'AES256' | 'aws:kms';
  readonly encryptionKey?: string;
  /** Nobody may remove or replace it for so many days; with `COMPLIANCE` not even its owner. */
  readonly lock?: { readonly mode: 'GOVERNANCE' | 'COMPLIANCE'; readonly days: number };
  /** Kept with the object, and compared by the server with what arrived. */
  readonly checksum?: (typeof CHECKSUMS)[number];
}

const CHECKSUMS = ['CRC32', 'CRC32C', 'SHA1', 'SHA256'] as const;

const FORMS =
  'It is written s3:host/bucket/folder, s3:https://host:port/bucket/folder, or s3:http://… for a server without TLS.';
const refusal = new AddressRefusal('S3', FORMS);
const OPTIONS = [
  ...['region', 'bucket-lookup', 'ca-file', 'profile'],
  ...['storage-class', 'encryption', 'kms-key', 'object-lock', 'lock-days', 'checksum'],
];
/** A century: longer is a mistake that nobody can take back. */
const MOST_DAYS = 36_500;
/** What lies there takes hours to come back. */
const ARCHIVES = ['GLACIER', 'DEEP_ARCHIVE'];

/**
 * An address in one of restic's forms. Only the one with `http:` or `https:` is a URL: there a percent sign begins an
 * escape, and options may follow a question mark. restic leaves those out.
 * @param rest what follows `s3:`.
 * @throws RespaldoError `usage`, without what may be a secret.
 */
export function parseS3Address(rest: string): S3Address {
  const url = /^(https?):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?(#)?/is.exec(rest);
  if (url === null) return placed(rest.replace(/^\/\//, ''), true, new URLSearchParams());
  const [, scheme = '', host = '', path = '', query = '', fragment] = url;
  if (fragment !== undefined) throw refusal.wrong('a "#" is written %23');
  return placed(host + refusal.decoded(path), scheme.toLowerCase() === 'https', new URLSearchParams(query));
}

/** The address in restic's words, for messages. */
export function describeS3({ secure, host, bucket, prefix }: S3Address): string {
  return `s3:${secure ? '' : 'http://'}${host}/${bucket}${prefix === '' ? '' : `/${prefix}`}`;
}

/** @param place host, bucket and prefix, with slashes between them. */
function placed(place: string, secure: boolean, given: URLSearchParams): S3Address {
  const [, host = '', bucket = '', prefix = ''] = /^([^/]*)(?:\/([^/]*)(?:\/(.*))?)?$/s.exec(place) ?? [];
  if (host.includes('@')) throw withSecret();
  if (!URL.canParse(`https://${host}/`) || /[\s\\?#]/.test(host)) throw refusal.wrong('it names no server');
  if (bucket === '') throw refusal.wrong('it names no bucket');
  if (!/^[\w.-]{3,255}$/.test(bucket)) {
    throw refusal.wrong('a bucket has a name of 3 to 63 small letters, digits, dots and dashes');
  }
  return { secure, host: host.toLowerCase(), bucket, prefix: soundPrefix(prefix), ...optionsOf(given) };
}

/** As restic writes it: without what a path does not need. */
function soundPrefix(prefix: string): string {
  if (prefix === '') return '';
  const clean = posix.normalize(prefix).replace(/(?<=.)\/$/, '');
  if (/^\.\.(\/|$)/.test(clean) || clean.includes('\0')) throw refusal.wrong('its folder leads out of the bucket');
  if (clean === '/') throw refusal.wrong('its folder has no name');
  return clean === '.' ? '' : clean;
}

function optionsOf(given: URLSearchParams): Pick<S3Address, 'region' | 'lookup' | 'caFile' | 'profile' | 'keeping'> {
  for (const name of given.keys()) {
    if (!OPTIONS.includes(name)) throw refusal.wrong(`an address has no option "${name}", only ${OPTIONS.join(', ')}`);
  }
  const lookup = given.get('bucket-lookup') ?? 'auto';
  if (lookup !== 'auto' && lookup !== 'path' && lookup !== 'dns')
    throw refusal.wrong('bucket-lookup is one of auto, path and dns');
  const [region, caFile, profile] = ['region', 'ca-file', 'profile'].map((name) => given.get(name));
  return {
    lookup,
    ...(region && { region }),
    ...(caFile && { caFile }),
    ...(profile && { profile }),
    keeping: { ...storageClassOf(given), ...encryptionOf(given), ...lockOf(given), ...checksumOf(given) },
  };
}

function storageClassOf(given: URLSearchParams): Pick<S3Keeping, 'storageClass'> {
  const storageClass = given.get('storage-class')?.toUpperCase();
  if (storageClass !== undefined && ARCHIVES.includes(storageClass))
    throw refusal.wrong(`what lies in the storage class ${storageClass} cannot be read when it is needed`);
  return storageClass ? { storageClass } : {};
}

function encryptionOf(given: URLSearchParams): Pick<S3Keeping, 'encryption' | 'encryptionKey'> {
  const [encryption, encryptionKey] = [given.get('encryption'), given.get('kms-key')];
  if (encryption === null) {
    if (encryptionKey !== null) throw refusal.wrong('kms-key wants encryption=aws:kms');
    return {};
  }
  if (/^aws:kms$/i.test(encryption)) return { encryption: 'aws:kms', ...(encryptionKey && { encryptionKey }) };
  if (!/^AES256$/i.test(encryption)) throw refusal.wrong('encryption is one of AES256 and aws:kms');
  if (encryptionKey !== null) throw refusal.wrong('kms-key wants encryption=aws:kms');
  return { encryption: 'AES256' };
}

function lockOf(given: URLSearchParams): Pick<S3Keeping, 'lock'> {
  const [mode, days] = [given.get('object-lock')?.toUpperCase(), given.get('lock-days')];
  if (mode === undefined && days === null) return {};
  if (mode !== 'GOVERNANCE' && mode !== 'COMPLIANCE')
    throw refusal.wrong('object-lock is one of governance and compliance');
  if (!/^[1-9]\d{0,5}$/.test(days ?? '') || Number(days) > MOST_DAYS)
    throw refusal.wrong(`object-lock wants lock-days=DAYS, from 1 to ${MOST_DAYS}`);
  return { lock: { mode, days: Number(days) } };
}

function checksumOf(given: URLSearchParams): Pick<S3Keeping, 'checksum'> {
  const wanted = given.get('checksum')?.toUpperCase();
  if (wanted === undefined) return {};
  const checksum = CHECKSUMS.find((one) => one === wanted);
  if (checksum === undefined) throw refusal.wrong(`checksum is one of ${CHECKSUMS.join(', ')}`);
  return { checksum };
}

function withSecret(): RespaldoError {
  return refusal.holding(
    'a user or a key',
    'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name the keys under credentials: of the repository or archive in respaldo.yaml.',
  );
}
