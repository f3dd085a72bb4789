/** Portable files beside the programs that everybody has. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Encryption, Keys } from '../../src/archive/archive.ts';
import { compressed, decompressed } from '../../src/archive/compression.ts';
import { decrypted, encrypted, recordOf } from '../../src/archive/encryption.ts';
import { findGpgKeys } from '../../src/archive/gpg.ts';
import { COMPRESSIONS, type CompressionName } from '../../src/domain/archive.ts';
import { gpg, gpgHome, makeGpgKey } from '../fixtures/gpg.ts';

const run = promisify(execFile);
const signal = new AbortController().signal;
const TOOLS: Readonly<Record<CompressionName, string>> = {
  none: 'cat',
  gzip: 'gzip',
  bzip2: 'bzip2',
  zstd: 'zstd',
  xz: 'xz',
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'respaldo-archive-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Half of it compresses; longer than several blocks of each kind. */
const CONTENT = Buffer.concat([Buffer.alloc(9_000_000, 'INSERT INTO orders VALUES (1);\n'), randomBytes(600_000)]);

async function* pieces(bytes: Uint8Array, size = 300_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size)
    yield await Promise.resolve(Buffer.from(bytes.subarray(at, at + size)));
}

async function whole(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(content));
}

/** What a program makes of a file. */
async function by(bytes: Uint8Array, program: string, ...args: string[]): Promise<Buffer> {
  const file = join(folder, 'input');
  await writeFile(file, bytes);
  const { stdout } = await run('sh', ['-c', `exec "$@" < "$0"`, file, program, ...args], {
    encoding: 'buffer',
    maxBuffer: 1 << 28,
  });
  return stdout;
}

it.each(['gzip', 'zstd'] as const)(
  '%s is read by its tool whatever kinds of content follow one another',
  async (name) => {
    const kinds = [
      randomBytes(5_000_000),
      Buffer.alloc(5_000_000, 'a row of a table\t1\n'),
      await readFile(process.execPath),
    ];
    const content = Buffer.concat(kinds.map((kind) => kind.subarray(0, 5_000_000)));
    const packed = await whole(compressed(pieces(content), { name }, signal));
    expect((await by(packed, TOOLS[name], '-dc')).equals(content)).toBe(true);
  },
);

describe.each(COMPRESSIONS)('compression by %s', (name) => {
  it('is read by the standard tool, and reads what that one writes', async () => {
    const packed = await whole(compressed(pieces(CONTENT), { name }, signal));
    if (name !== 'none') expect(packed.length).toBeLessThan(CONTENT.length / 4);
    expect((await by(packed, TOOLS[name], ...(name === 'none' ? [] : ['-dc']))).equals(CONTENT)).toBe(true);
    expect((await whole(decompressed(pieces(packed), name, signal))).equals(CONTENT)).toBe(true);
    const theirs = name === 'none' ? CONTENT : await by(CONTENT, TOOLS[name], '-c');
    expect((await whole(decompressed(pieces(theirs), name, signal))).equals(CONTENT)).toBe(true);
  });

  it('takes nothing at all', async () => {
    const packed = await whole(compressed(pieces(new Uint8Array()), { name }, signal));
    expect(await by(packed, TOOLS[name], ...(name === 'none' ? [] : ['-dc']))).toHaveLength(0);
    expect(await whole(decompressed(pieces(packed), name, signal))).toHaveLength(0);
  });

  if (name === 'none') return;

  it('sees that content was cut, or changed', async () => {
    const packed = await whole(compressed(pieces(CONTENT), { name }, signal));
    const changed = Buffer.from(packed);
    const middle = packed.length >> 1;
    changed.fill(0xff, middle, middle + 100);
    for (const bad of [packed.subarray(0, packed.length - 20), changed, Buffer.from('no such format, long enough')])
      await expect(whole(decompressed(pieces(bad), name, signal))).rejects.toMatchObject({ code: 'source-damaged' });
  });
});

describe('a program that is killed', () => {
  const KILLED = { code: 'command-failed', hint: expect.stringContaining('memory') as string };

  /** Content during which our child of that name dies. */
  async function* deadly(bytes: Buffer, program: string): AsyncGenerator<Uint8Array> {
    yield bytes.subarray(0, 100_000);
    const own = `/proc/${String(process.pid)}/task/${String(process.pid)}/children`;
    for (const child of (await readFile(own, 'utf8')).trim().split(' '))
      if ((await readFile(`/proc/${child}/comm`, 'utf8')).trim() === program) process.kill(Number(child), 'SIGKILL');
    yield* pieces(bytes.subarray(100_000));
  }

  it('says nothing of the archive, whether it was made or is read', async () => {
    const encryption: Encryption = { tool: 'gpg', passphrase: 'un secreto largo' };
    await expect(whole(encrypted(deadly(CONTENT, 'gpg'), encryption, signal))).rejects.toMatchObject(KILLED);
    const sealed = await whole(encrypted(pieces(CONTENT), encryption, signal));
    const keys = { passphrase: 'un secreto largo' };
    await expect(whole(decrypted(deadly(sealed, 'gpg'), recordOf(encryption), keys, signal))).rejects.toMatchObject(
      KILLED,
    );
    const packed = await whole(compressed(pieces(randomBytes(1_000_000)), { name: 'xz', level: 0 }, signal));
    await expect(whole(decompressed(deadly(packed, 'xz'), 'xz', signal))).rejects.toMatchObject(KILLED);
  });
});

describe('encryption by gpg', () => {
  it('to a key is read by gpg, and the other way round', async () => {
    await using ring = await gpgHome();
    makeGpgKey(ring.home, 'Backups <backups@example.com>');
    const recipients = await findGpgKeys(['backups@example.com'], ring.home, signal);
    const encryption: Encryption = { tool: 'gpg', recipients, home: ring.home };
    const sealed = await whole(encrypted(pieces(CONTENT), encryption, signal));
    expect((await by(sealed, 'gpg', '--homedir', ring.home, '--batch', '-q', '-d')).equals(CONTENT)).toBe(true);
    expect((await opened(sealed, encryption, { gpgHome: ring.home })).equals(CONTENT)).toBe(true);
    const theirs = await by(CONTENT, 'gpg', '--homedir', ring.home, '--batch', '-q', '-r', 'backups@example.com', '-e');
    expect((await opened(theirs, encryption, { gpgHome: ring.home })).equals(CONTENT)).toBe(true);
  });

  it('without the secret key says which one is needed', async () => {
    await using ring = await gpgHome();
    await using other = await gpgHome();
    const fingerprint = makeGpgKey(ring.home, 'Backups <backups@example.com>');
    const recipients = await findGpgKeys([fingerprint], ring.home, signal);
    const encryption: Encryption = { tool: 'gpg', recipients, home: ring.home };
    const sealed = await whole(encrypted(pieces(CONTENT), encryption, signal));
    await expect(opened(sealed, encryption, { gpgHome: other.home })).rejects.toMatchObject({
      code: 'wrong-password',
      hint: expect.stringContaining(`${fingerprint} Backups <backups@example.com>`) as string,
    });
    await expect(opened(sealed.subarray(0, 1_000_000), encryption, { gpgHome: ring.home })).rejects.toMatchObject({
      code: 'source-damaged',
    });
  });

  it('by a passphrase never shows it, and refuses another', async () => {
    const encryption: Encryption = { tool: 'gpg', passphrase: 'un secreto largo' };
    const slow = (async function* () {
      yield* pieces(CONTENT.subarray(0, 1_000_000));
      // The program runs and waits: everybody could see its arguments and environment now.
      await expect(programsWith('un secreto largo')).resolves.toEqual([]);
      expect(await programsWith('--passphrase-fd')).not.toEqual([]);
    })();
    const sealed = await whole(encrypted(slow, encryption, signal));
    expect(await opened(sealed, encryption, { passphrase: 'un secreto largo' })).toHaveLength(1_000_000);
    await expect(opened(sealed, encryption, { passphrase: 'otro' })).rejects.toMatchObject({ code: 'wrong-password' });
    await expect(opened(sealed, encryption, {})).rejects.toMatchObject({ code: 'wrong-password' });
  });

  it('is refused before the run where a key is missing, expired, revoked or cannot encrypt', async () => {
    await using ring = await gpgHome();
    const check = (recipient: string) => findGpgKeys([recipient], ring.home, signal);
    makeGpgKey(ring.home, 'Signer <sign@example.com>', 'sign');
    makeGpgKey(ring.home, 'Old <old@example.com>', 'expired');
    const revoked = makeGpgKey(ring.home, 'Gone <gone@example.com>');
    const certificate = join(ring.home, 'openpgp-revocs.d', `${revoked}.rev`);
    await writeFile(join(folder, 'revocation'), (await readFile(certificate, 'utf8')).replace(':-----', '-----'));
    gpg(ring.home, '--import', join(folder, 'revocation'));
    await expect(check('nobody@example.com')).rejects.toMatchObject({
      code: 'config',
      message: expect.stringContaining('not in the keyring') as string,
    });
    await expect(check('sign@example.com')).rejects.toMatchObject({
      message: expect.stringContaining('cannot encrypt') as string,
    });
    await expect(check('gone@example.com')).rejects.toMatchObject({
      message: expect.stringContaining('is revoked') as string,
    });
    await expect(check('old@example.com')).rejects.toMatchObject({
      message: expect.stringContaining('has expired') as string,
    });
  });
});

describe('encryption by age', () => {
  it('to a recipient is read by age, and the other way round', async () => {
    const { stdout: identity } = await run('age-keygen');
    const recipient = /age1\w+/.exec(identity)?.[0] ?? '';
    const file = join(folder, 'key.txt');
    await writeFile(file, identity);
    const encryption: Encryption = { tool: 'age', recipients: [recipient] };
    const keys = { identities: [/AGE-SECRET-KEY-\w+/.exec(identity)?.[0] ?? ''] };
    // Chunks of the format have 64 KiB, and 16 of them go on together.
    for (const size of [CONTENT.length, 0, 65_536, 65_537, 16 * 65_536, 16 * 65_536 + 1, 32 * 65_536]) {
      const content = CONTENT.subarray(0, size);
      const sealed = await whole(encrypted(pieces(content), encryption, signal));
      expect((await by(sealed, 'age', '-d', '-i', file)).equals(content)).toBe(true);
      expect((await opened(sealed, encryption, keys)).equals(content)).toBe(true);
      expect((await opened(await by(content, 'age', '-r', recipient), encryption, keys)).equals(content)).toBe(true);
      await expect(opened(sealed.subarray(0, sealed.length - 1), encryption, keys)).rejects.toMatchObject({
        code: 'source-damaged',
      });
    }
    const { stdout: another } = await run('age-keygen');
    const wrong = { identities: [/AGE-SECRET-KEY-\w+/.exec(another)?.[0] ?? ''] };
    const sealed = await whole(encrypted(pieces(CONTENT), encryption, signal));
    await expect(opened(sealed, encryption, wrong)).rejects.toMatchObject({
      code: 'wrong-password',
      hint: expect.stringContaining(recipient) as string,
    });
    // A whole number of chunks is gone: only that the last is missing can tell.
    const chunks = sealed.subarray(0, sealed.length - ((CONTENT.length % 65_536) + 16));
    await expect(opened(chunks, encryption, keys)).rejects.toMatchObject({ code: 'source-damaged' });
  });

  it('by a passphrase opens with it alone', async () => {
    const encryption: Encryption = { tool: 'age', passphrase: 'un secreto largo' };
    const sealed = await whole(encrypted(pieces(CONTENT), encryption, signal));
    expect(sealed.subarray(0, 40).toString()).toContain('-> scrypt ');
    expect((await opened(sealed, encryption, { passphrase: 'un secreto largo' })).equals(CONTENT)).toBe(true);
    await expect(opened(sealed, encryption, { passphrase: 'otro' })).rejects.toMatchObject({ code: 'wrong-password' });
  });
});

function opened(sealed: Uint8Array, encryption: Encryption, keys: Keys): Promise<Buffer> {
  return (async () => whole(decrypted(pieces(sealed), recordOf(encryption), keys, signal)))();
}

/** Command lines and environments of all programs that hold a text, this one's own apart. */
async function programsWith(text: string): Promise<string[]> {
  const { stdout } = await run(
    'sh',
    [
      '-c',
      'cd /proc && for p in [0-9]*; do [ $p = $PPID ] || [ $p = $$ ] || { tr "\\0" " " < $p/cmdline; tr "\\0" " " < $p/environ; echo; } 2>/dev/null; done; true',
    ],
    { maxBuffer: 1 << 26 },
  );
  return stdout.split('\n').filter((line) => line.includes(text));
}
