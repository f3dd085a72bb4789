import { RespaldoError } from '../errors.ts';
import type { Encryption, EncryptionRecord, GpgKey, Keys } from './archive.ts';
import { filtered, filteredBytes, killed, type FilterProgram } from './filter.ts';

type GpgEncryption = Extract<Encryption, { tool: 'gpg' }>;
type Said = Parameters<NonNullable<FilterProgram['judge']>>[0];

const HINT = 'Install GnuPG (Debian: gpg), or choose age.';
/** No questions, no compression of its own, and messages for programs where nobody else writes. */
const QUIET = ['--batch', '--no-tty', '--quiet', '--status-fd', '4'];
const FROM_DESCRIPTOR = ['--pinentry-mode', 'loopback', '--passphrase-fd', '3', '--no-symkey-cache'];

/** Content encrypted to keys, or by a passphrase, in OpenPGP's format. */
export function gpgEncrypted(
  content: AsyncIterable<Uint8Array>,
  encryption: GpgEncryption,
  signal: AbortSignal,
  onTaken?: (piece: Uint8Array) => void,
): AsyncIterable<Uint8Array> {
  const how =
    'passphrase' in encryption
      ? { options: [...FROM_DESCRIPTOR, '--s2k-cipher-algo', 'AES256', '--symmetric'], secret: encryption.passphrase }
      : { options: recipientOptions(encryption) };
  const { options, ...secret } = how;
  return filtered(
    {
      argv: ['gpg', ...QUIET, '--compress-level', '0', ...options, '--output', '-'],
      ...secret,
      hint: HINT,
      judge: ({ status, stderr, code }) =>
        code === 0 && status.includes('[GNUPG:] END_ENCRYPTION') ? undefined : encryptionFailure(stderr, code),
    },
    content,
    signal,
    onTaken,
  );
}

/** The keys were looked at; whether their owners are who they say is not this program's to decide. */
function recipientOptions({ recipients, home }: Extract<GpgEncryption, { recipients: unknown }>): string[] {
  const keys = recipients.flatMap(({ fingerprint }) => ['--recipient', fingerprint]);
  return [...homeOptions(home), '--trust-model', 'always', ...keys, '--encrypt'];
}

function homeOptions(home: string | undefined): string[] {
  return home === undefined ? [] : ['--homedir', home];
}

function encryptionFailure(stderr: string, code: number | null): RespaldoError {
  if (code === null) return killed('gpg');
  const how = `gpg could not encrypt (exit code ${String(code)})`;
  return new RespaldoError('command-failed', stderr === '' ? how : `${how}:\n${stderr}`);
}

/** @throws RespaldoError `wrong-password` that says which key is needed, `source-damaged`, `tool-missing` */
export function gpgDecrypted(
  content: AsyncIterable<Uint8Array>,
  record: EncryptionRecord,
  { passphrase, gpgHome }: Keys,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  if (record.passphrase === true && passphrase === undefined) throw passphraseMissing();
  return filtered(
    {
      argv: [
        'gpg',
        ...QUIET,
        ...homeOptions(gpgHome),
        ...(passphrase === undefined ? [] : FROM_DESCRIPTOR),
        '--decrypt',
        '--output',
        '-',
      ],
      ...(passphrase !== undefined && { secret: passphrase }),
      hint: HINT,
      judge: (said) => decryptionComplaint(said, record),
    },
    content,
    signal,
  );
}

function decryptionComplaint({ status, stderr, code }: Said, record: EncryptionRecord): RespaldoError | undefined {
  const has = (word: string): boolean => status.includes(`[GNUPG:] ${word}`);
  if (code === 0 && has('DECRYPTION_OKAY') && has('GOODMDC')) return undefined;
  if (code === null) return killed('gpg');
  if (record.passphrase === true && (status.includes('BAD_PASSPHRASE') || stderr.includes('Bad session key')))
    return new RespaldoError('wrong-password', 'the passphrase does not open this file', {
      hint: 'It was encrypted by gpg with another passphrase.',
    });
  if (stderr.includes('No secret key')) return secretKeyMissing(status, record);
  if (status.includes('pinentry') || status.includes('BAD_PASSPHRASE') || stderr.includes('No passphrase given'))
    return new RespaldoError('wrong-password', `the secret key is locked, and its passphrase is not at hand`, {
      hint: `Unlock it in gpg-agent (decrypt the file once by hand), or give --passphrase-file. The file is for ${listOf(record)}.`,
    });
  return new RespaldoError('source-damaged', `gpg could not decrypt it (exit code ${String(code)}):\n${stderr}`, {
    hint: 'The file is damaged, cut short, or not what its manifest says.',
  });
}

function secretKeyMissing(status: string, record: EncryptionRecord): RespaldoError {
  const ids = [...status.matchAll(/ENC_TO ([0-9A-F]+)/g)].map(([, id = '']) => id);
  return new RespaldoError('wrong-password', `no secret key that opens this file is in the keyring`, {
    hint: `It is encrypted to ${listOf(record)} (subkey ${[...new Set(ids)].join(', ')}). Import the secret key of one of them: gpg --import`,
  });
}

function listOf({ recipients = [] }: EncryptionRecord): string {
  return recipients.length === 0 ? 'keys that its manifest does not name' : recipients.join(' or ');
}

export function passphraseMissing(): RespaldoError {
  return new RespaldoError('wrong-password', 'this file is encrypted by a passphrase, and none is at hand', {
    hint: 'Name it under encryptions in respaldo.yaml, or by --passphrase-file.',
  });
}

/**
 * The keys that the recipients are, each of them fit to be encrypted to.
 * @throws RespaldoError `config` for one that is missing, ambiguous, expired, revoked, disabled, or cannot encrypt
 */
export async function findGpgKeys(
  recipients: readonly string[],
  home: string | undefined,
  signal: AbortSignal,
): Promise<readonly GpgKey[]> {
  const looked = await Promise.allSettled(recipients.map((recipient) => findGpgKey(recipient, home, signal)));
  return looked.map((key) => {
    if (key.status === 'rejected') throw key.reason;
    return key.value;
  });
}

async function findGpgKey(recipient: string, home: string | undefined, signal: AbortSignal): Promise<GpgKey> {
  const found = parseKeys(await listKeys(recipient, home, signal));
  const [key, another] = found.filter(({ problem }) => problem === undefined);
  if (another !== undefined)
    throw unfit(
      recipient,
      `names several keys: ${found.map(({ fingerprint }) => fingerprint).join(', ')}`,
      'Name one of them by its fingerprint.',
    );
  if (key !== undefined) return { fingerprint: key.fingerprint, user: key.user };
  const [first] = found;
  if (first === undefined)
    throw unfit(recipient, 'is not in the keyring', 'Import its public key: gpg --import key.asc');
  throw unfit(
    recipient,
    `${first.problem ?? ''} (${first.fingerprint})`,
    'Nothing can be encrypted to it: renew the key, or name another one.',
  );
}

function unfit(recipient: string, why: string, hint: string): RespaldoError {
  return new RespaldoError('config', `the gpg key of ${recipient} ${why}`, { hint });
}

/** As `--with-colons` tells it. Nothing where gpg knows no such key: its exit code is 2 then, as for much else. */
async function listKeys(recipient: string, home: string | undefined, signal: AbortSignal): Promise<string> {
  const program: FilterProgram = {
    argv: ['gpg', ...QUIET, ...homeOptions(home), '--with-colons', '--fixed-list-mode', '--list-keys', '--', recipient],
    hint: HINT,
    judge: ({ stderr }) => (/not found|No public key/i.test(stderr) ? new RespaldoError('config', NO_KEY) : undefined),
  };
  try {
    return Buffer.from(await filteredBytes(program, new Uint8Array(), signal)).toString('utf8');
  } catch (error) {
    if (error instanceof RespaldoError && error.message === NO_KEY) return '';
    throw error;
  }
}

const NO_KEY = 'no such key';

interface ListedKey extends GpgKey {
  /** Why nothing can be encrypted to it. */
  readonly problem?: string;
}

/** Reads gpg's list of keys for programs (doc/DETAILS). Pure. */
function parseKeys(listing: string): readonly ListedKey[] {
  const keys: { fingerprint: string; user: string; problem?: string }[] = [];
  let isPrimary = false;
  for (const line of listing.split('\n')) {
    const fields = line.split(':');
    const [kind, validity = ''] = fields;
    const current = keys.at(-1);
    if (kind === 'pub') {
      const problem = problemOf(validity, fields[11] ?? '');
      keys.push({ fingerprint: '', user: '', ...(problem !== undefined && { problem }) });
    } else if (kind === 'fpr' && isPrimary && current !== undefined) current.fingerprint = fields[9] ?? '';
    else if (kind === 'uid' && current?.user === '') current.user = unescaped(fields[9] ?? '');
    isPrimary = kind === 'pub';
  }
  return keys;
}

/** @param capabilities capital letters stand for what the key as a whole can do now */
function problemOf(validity: string, capabilities: string): string | undefined {
  if (validity.startsWith('e')) return 'has expired';
  if (validity.startsWith('r')) return 'is revoked';
  if (validity.startsWith('i')) return 'is invalid';
  if (validity.startsWith('d') || capabilities.includes('D')) return 'is disabled';
  return capabilities.includes('E') ? undefined : 'cannot encrypt, or the subkey that could has expired';
}

function unescaped(text: string): string {
  return text.replaceAll(/\\x([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}
