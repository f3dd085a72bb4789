/** The first words of server and client. Pure. */

const PROTOCOL = 10;
/** Long passwords, long flags, protocol 4.1, transactions, secure connection, plugins. */
const CAPABILITIES = 0x1 | 0x4 | 0x200 | 0x2000 | 0x8000 | 0x8_0000;
const ENCRYPTED = 0x800;
const LARGEST_PACKET = 1024 ** 3;
/** `utf8mb4_general_ci`, which every server knows. */
const CHARSET = 45;
const SALT = 8;

export interface Greeting {
  readonly nonce: Buffer;
  readonly plugin: string;
  readonly offersEncryption: boolean;
}

/** Undefined: somebody else speaks there. */
export function readGreeting(payload: Buffer): Greeting | undefined {
  if (payload[0] !== PROTOCOL) return undefined;
  // After the version and the number of the connection.
  const at = payload.indexOf(0, 1) + 5;
  const length = payload[at + SALT + 8] ?? 0;
  const rest = at + SALT + 19;
  const second = Math.max(13, length - SALT);
  const nonce = Buffer.concat([payload.subarray(at, at + SALT), payload.subarray(rest, rest + second)]);
  const name = rest + second;
  const end = payload.indexOf(0, name);
  const offersEncryption = (payload.readUInt16LE(at + SALT + 1) & ENCRYPTED) !== 0;
  return { nonce, plugin: payload.toString('latin1', name, end < 0 ? payload.length : end), offersEncryption };
}

/** Asks for encryption: nobody has said yet who he is. */
export function encryptionRequest(): Buffer {
  return head(CAPABILITIES | ENCRYPTED);
}

/** Who wants to come in. */
export function helloMessage(user: string, answer: Buffer, plugin: string, isEncrypted: boolean): Buffer {
  return Buffer.concat([
    head(isEncrypted ? CAPABILITIES | ENCRYPTED : CAPABILITIES),
    Buffer.from(`${user}\0`),
    Buffer.from([answer.length]),
    answer,
    Buffer.from(`${plugin}\0`),
  ]);
}

function head(capabilities: number): Buffer {
  const bytes = Buffer.alloc(32);
  bytes.writeUInt32LE(capabilities, 0);
  bytes.writeUInt32LE(LARGEST_PACKET, 4);
  bytes[8] = CHARSET;
  return bytes;
}
