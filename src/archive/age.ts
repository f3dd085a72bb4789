/** The format of age (age-encryption.org/v1). Headers by its own package, the payload by OpenSSL, which is faster. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, scrypt } from 'node:crypto';
import type { Recipient, Stanza } from 'age-encryption';
import { release } from '../domain/release.ts';
import { RespaldoError, throwIfAborted } from '../errors.ts';
import type { Encryption, EncryptionRecord, Keys } from './archive.ts';
import { inBlocks } from './blocks.ts';
import { passphraseMissing } from './gpg.ts';

type AgeEncryption = Extract<Encryption, { tool: 'age' }>;

const CIPHER = 'chacha20-poly1305';
const TAG = 16;
const NONCE = 16;
const CHUNK = 64 * 1024;
/** Chunks that go on together: to hand on, hash and write each by itself takes longer than to encrypt it. */
const AT_ONCE = 16;
/** Of many thousands of recipients. */
const LONGEST_HEADER = 1024 * 1024;
const WORK_FACTOR = 18;
const SCRYPT = { N: 2 ** WORK_FACTOR, r: 8, p: 1, maxmem: 2 ** WORK_FACTOR * 8 * 128 * 2 };

/** Content encrypted to age's recipients, or by a passphrase. */
export async function* ageEncrypted(
  content: AsyncIterable<Uint8Array>,
  encryption: AgeEncryption,
  signal: AbortSignal,
  onTaken?: (piece: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  throwIfAborted(signal);
  const { header, fileKey } = await newHeader(encryption);
  const nonce = randomBytes(NONCE);
  yield Buffer.concat([header, nonce]);
  const key = payloadKey(fileKey, nonce);
  const spare: Uint8Array[] = [];
  for await (const { block, index, isLast } of marked(inBlocks(content, AT_ONCE * CHUNK, spare, onTaken))) {
    const sealed = sealedChunks(block, key, index * AT_ONCE, isLast);
    if (!isLast) spare.push(block);
    yield sealed;
  }
}

/** @param first the number of the first of these chunks, of which all but the last are full */
function sealedChunks(block: Uint8Array, key: Buffer, first: number, isLast: boolean): Buffer {
  const chunks = chunksIn(block.length, CHUNK);
  const sealed = Buffer.allocUnsafeSlow(block.length + chunks * TAG);
  for (let i = 0; i < chunks; i++) {
    const chunk = block.subarray(i * CHUNK, (i + 1) * CHUNK);
    const nonce = chunkNonce(first + i, isLast && i === chunks - 1);
    const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG });
    const secret = cipher.update(chunk);
    cipher.final();
    const at = i * (CHUNK + TAG);
    sealed.set(secret, at);
    sealed.set(cipher.getAuthTag(), at + chunk.length);
    release(secret);
  }
  return sealed;
}

/** What is empty is one empty chunk. */
function chunksIn(bytes: number, size: number): number {
  return Math.max(1, Math.ceil(bytes / size));
}

/** @throws RespaldoError `wrong-password` that says which key is needed, `source-damaged` */
export async function* ageDecrypted(
  content: AsyncIterable<Uint8Array>,
  record: EncryptionRecord,
  keys: Keys,
): AsyncGenerator<Uint8Array> {
  const parts = new HeaderAndPayload(content);
  try {
    const { header, nonce } = await parts.head();
    const key = payloadKey(await openHeader(header, record, keys), nonce);
    const spare: Uint8Array[] = [];
    for await (const { block, index, isLast } of marked(inBlocks(parts.rest(), AT_ONCE * (CHUNK + TAG), spare))) {
      const opened = openedChunks(block, key, index * AT_ONCE, isLast);
      if (!isLast) spare.push(block);
      yield opened;
    }
  } finally {
    await parts.close();
  }
}

/** @param first as of {@link sealedChunks} */
function openedChunks(block: Uint8Array, key: Buffer, first: number, isLast: boolean): Buffer {
  const chunks = chunksIn(block.length, CHUNK + TAG);
  const opened = Buffer.allocUnsafeSlow(Math.max(0, block.length - chunks * TAG));
  for (let i = 0; i < chunks; i++) {
    const chunk = block.subarray(i * (CHUNK + TAG), (i + 1) * (CHUNK + TAG));
    const plain = openedChunk(chunk, key, first + i, isLast && i === chunks - 1);
    opened.set(plain, i * CHUNK);
    release(plain);
  }
  return opened;
}

function openedChunk(chunk: Uint8Array, key: Buffer, index: number, isLast: boolean): Buffer {
  if (chunk.length < TAG || (chunk.length === TAG && index > 0)) throw damaged('it is cut short');
  const decipher = createDecipheriv(CIPHER, key, chunkNonce(index, isLast), { authTagLength: TAG });
  decipher.setAuthTag(chunk.subarray(chunk.length - TAG));
  try {
    const plain = decipher.update(chunk.subarray(0, chunk.length - TAG));
    decipher.final();
    return plain;
  } catch (error) {
    throw damaged('a part of it was changed, or it is cut short', error);
  }
}

/** A header for a new file key. The package makes the key; a recipient that adds nothing to the header learns it. */
async function newHeader(
  encryption: AgeEncryption,
): Promise<{ readonly header: Buffer; readonly fileKey: Uint8Array }> {
  const age = await import('age-encryption');
  const encrypter = new age.Encrypter();
  let fileKey: Uint8Array | undefined;
  const learning = (stanzas: (key: Uint8Array) => Promise<Stanza[]>): Recipient => ({
    wrapFileKey: (key) => {
      fileKey = Uint8Array.from(key);
      return stanzas(key);
    },
  });
  if ('passphrase' in encryption) {
    const { passphrase } = encryption;
    encrypter.addRecipient(learning(async (key) => [new age.Stanza(...(await scryptStanza(key, passphrase)))]));
  } else {
    for (const recipient of encryption.recipients) encrypter.addRecipient(recipient);
    encrypter.addRecipient(learning(() => Promise.resolve([])));
  }
  const empty = await encrypter.encrypt(new Uint8Array());
  if (fileKey === undefined) throw new RespaldoError('internal', 'age has made no file key');
  // Behind the header: a nonce, and one chunk that holds nothing.
  return { header: Buffer.from(empty.subarray(0, empty.length - NONCE - TAG)), fileKey };
}

/** The package's own is many times slower, and holds up everything else. */
async function scryptStanza(fileKey: Uint8Array, passphrase: string): Promise<[string[], Uint8Array]> {
  const salt = randomBytes(16);
  const key = await new Promise<Buffer>((resolve, reject) => {
    scrypt(
      passphrase,
      Buffer.concat([Buffer.from('age-encryption.org/v1/scrypt'), salt]),
      32,
      SCRYPT,
      (error, derived) => {
        if (error) reject(error);
        else resolve(derived);
      },
    );
  });
  const cipher = createCipheriv(CIPHER, key, Buffer.alloc(12), { authTagLength: TAG });
  const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]);
  return [['scrypt', salt.toString('base64').replaceAll('=', ''), String(WORK_FACTOR)], body];
}

async function openHeader(header: Buffer, record: EncryptionRecord, keys: Keys): Promise<Uint8Array> {
  const age = await import('age-encryption');
  const decrypter = new age.Decrypter();
  if (record.passphrase === true) {
    if (keys.passphrase === undefined) throw passphraseMissing();
    decrypter.addPassphrase(keys.passphrase);
  } else {
    const { identities = [] } = keys;
    if (identities.length === 0) throw wrongKey(record, 'no identity of age is at hand');
    for (const identity of identities) decrypter.addIdentity(identity);
  }
  try {
    return await decrypter.decryptHeader(header);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (!message.includes('no identity matched')) throw damaged(message, error);
    throw wrongKey(
      record,
      record.passphrase === true ? 'the passphrase does not open this file' : 'no identity at hand opens this file',
    );
  }
}

function wrongKey({ recipients = [], passphrase }: EncryptionRecord, message: string): RespaldoError {
  const hint =
    passphrase === true
      ? 'It was encrypted by age with another passphrase.'
      : `It is encrypted to ${recipients.join(' or ')}: name the secret key of one of them by identity: under encryptions in respaldo.yaml, or by --identity.`;
  return new RespaldoError('wrong-password', message, { hint });
}

/** The text at the beginning of a file, the nonce behind it, and what follows. */
class HeaderAndPayload {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #held: Buffer = Buffer.alloc(0);

  constructor(content: AsyncIterable<Uint8Array>) {
    this.#pieces = content[Symbol.asyncIterator]();
  }

  async head(): Promise<{ readonly header: Buffer; readonly nonce: Buffer }> {
    for (;;) {
      const last = this.#held.indexOf('\n--- ');
      const end = last < 0 ? -1 : this.#held.indexOf('\n', last + 1);
      if (end >= 0 && this.#held.length >= end + 1 + NONCE) {
        const [header, nonce] = [this.#held.subarray(0, end + 1), this.#held.subarray(end + 1, end + 1 + NONCE)];
        this.#held = this.#held.subarray(end + 1 + NONCE);
        return { header, nonce };
      }
      if (this.#held.length > LONGEST_HEADER) throw damaged('it is no file of age');
      const next = await this.#pieces.next();
      if (next.done === true) throw damaged('it is no file of age, or cut short');
      this.#held = Buffer.concat([this.#held, next.value]);
    }
  }

  async *rest(): AsyncGenerator<Uint8Array> {
    yield this.#held;
    for (;;) {
      const next = await this.#pieces.next();
      if (next.done === true) return;
      yield next.value;
    }
  }

  async close(): Promise<void> {
    await this.#pieces.return?.();
  }
}

/** Blocks with their numbers; the last is known to be the last. */
async function* marked(
  blocks: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ readonly block: Uint8Array; readonly index: number; readonly isLast: boolean }> {
  let before: Uint8Array | undefined;
  let index = 0;
  for await (const block of blocks) {
    if (before !== undefined) yield { block: before, index: index++, isLast: false };
    before = block;
  }
  if (before !== undefined) yield { block: before, index, isLast: true };
}

function chunkNonce(index: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(index, 5, 6);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

function payloadKey(fileKey: Uint8Array, nonce: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', fileKey, nonce, 'payload', 32));
}

function damaged(why: string, cause?: unknown): RespaldoError {
  return new RespaldoError('source-damaged', `age cannot decrypt it: ${why}`, { cause });
}

/** @throws RespaldoError `config` for what is no recipient of age */
export async function requireAgeRecipients(recipients: readonly string[]): Promise<void> {
  const { Encrypter } = await import('age-encryption');
  for (const recipient of recipients) {
    try {
      new Encrypter().addRecipient(recipient);
    } catch (error) {
      throw new RespaldoError('config', `"${recipient}" is no recipient of age`, {
        hint: 'A recipient is a public key, age1…, as `age-keygen -y key.txt` prints it.',
        cause: error,
      });
    }
  }
}
