import { createCipheriv, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createKernel } from './kernel.ts';

const POLYNOMIAL = 0x3da3358b4dc173n;
const kernel = createKernel(256 * 1024);
const { run, base, memory } = kernel;
const [R, S, TAG, TEXT] = [base, base + 16, base + 32, base + 48];

const P = (1n << 130n) - 5n;
const CLAMP = 0x0ffffffc0ffffffc0ffffffc0fffffffn;

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** Poly1305 as its definition says, without any cleverness. */
function poly1305Reference(message: Uint8Array, r: Uint8Array, s: Uint8Array): bigint {
  let sum = 0n;
  for (let at = 0; at < message.length; at += 16) {
    const block = message.subarray(at, at + 16);
    sum = ((sum + littleEndian(block) + (1n << BigInt(8 * block.length))) * (littleEndian(r) & CLAMP)) % P;
  }
  return BigInt.asUintN(128, sum + littleEndian(s));
}

/** The kernel's tag of a message that is fed in pieces of `piece` bytes, a multiple of 16. */
function poly1305(message: Uint8Array, r: Uint8Array, s: Uint8Array, piece: number): bigint {
  memory.set(r, R);
  memory.set(s, S);
  memory.set(message, TEXT);
  run.poly1305Begin(R);
  let at = 0;
  for (; message.length - at > piece; at += piece) run.poly1305Blocks(TEXT + at, piece);
  run.poly1305End(TEXT + at, message.length - at, S, TAG);
  return littleEndian(memory.subarray(TAG, TAG + 16));
}

const sixteen = fc.uint8Array({ minLength: 16, maxLength: 16 });
const ones = new Uint8Array(16).fill(0xff);

describe('Poly1305', () => {
  it('agrees with the definition for any message, key and way of feeding', () => {
    const message = fc.uint8Array({ maxLength: 300 });
    fc.assert(
      fc.property(message, sixteen, sixteen, fc.integer({ min: 1, max: 5 }), (text, r, s, blocks) => {
        expect(poly1305(text, r, s, blocks * 16)).toBe(poly1305Reference(text, r, s));
      }),
      { numRuns: 500 },
    );
  });

  it('agrees with the definition where the carries are longest', () => {
    const nearlyOnes = ones.map((byte, i) => (i === 0 ? 0xfb : byte));
    const two = new Uint8Array(16).fill(0).with(0, 2);
    const one = new Uint8Array(16).fill(0).with(0, 1);
    const blocks = [ones, nearlyOnes, new Uint8Array(16), one];
    for (const r of [one, two, ones]) {
      for (const first of blocks) {
        for (const second of blocks) {
          for (const s of [new Uint8Array(16), ones]) {
            const message = Buffer.concat([first, second, ones, first, second]);
            for (let length = 0; length <= message.length; length++) {
              const text = message.subarray(0, length);
              expect(poly1305(text, r, s, 16)).toBe(poly1305Reference(text, r, s));
            }
          }
        }
      }
    }
  });
});

/** The fingerprint of the 64 bytes before `end`, bit by bit. */
function fingerprint(bytes: Uint8Array, end: number): bigint {
  let digest = 0n;
  for (const byte of bytes.subarray(end - 64, end)) {
    digest = (digest << 8n) | BigInt(byte);
    for (let bit = 60n; bit >= 53n; bit--) if ((digest >> bit) & 1n) digest ^= POLYNOMIAL << (bit - 53n);
  }
  return digest;
}

describe('the Rabin fingerprint', () => {
  run.setPolynomial(POLYNOMIAL);
  const scanned = 5 * 8192 * 3;
  const text = textWithoutCuts();

  /** Random bytes, one in a million of which would be a cut by chance; no zeros, which would lengthen a planted window. */
  function textWithoutCuts(): Uint8Array {
    for (;;) {
      const bytes = randomBytes(scanned + 64).map((byte) => Math.max(byte, 1));
      memory.set(bytes, base);
      if (run.cut(base + 64, base + scanned, 20) === 0) return bytes;
    }
  }

  /** A place whose window of zeros has the digest zero, and so is a cut. */
  function plant(end: number): void {
    memory.fill(0, base + end - 64, base + end);
  }

  it('cuts exactly where the low 20 bits are zero', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 64, maxLength: 64 }), fc.integer({ min: 0, max: 19 }), (bytes, bit) => {
        // The last three bytes are part of the fingerprint as they are, so they can make its low bits zero.
        const window = Buffer.from(bytes);
        window.writeUIntBE(window.readUIntBE(61, 3) ^ Number(fingerprint(window, 64) & 0xfffffn), 61, 3);
        memory.set(text, base);
        memory.set(window, base + 1000);
        expect(run.cut(base + 64, base + scanned, 20)).toBe(base + 1064);
        window.writeUIntBE(window.readUIntBE(61, 3) ^ (1 << bit), 61, 3);
        memory.set(window, base + 1000);
        expect(run.cut(base + 64, base + 1100, 20)).toBe(0);
      }),
    );
  });

  it('finds the first cut in whichever lane it lies, and whatever follows it', () => {
    for (const end of [64, 65, 8191 + 64, 8192 + 64, 8193 + 64, 16384 + 64, 24575 + 64, 24576 + 64, 50000, scanned]) {
      memory.set(text, base);
      for (const later of [8200, 17000, 40000]) if (end + later <= scanned) plant(end + later);
      plant(end);
      expect(run.cut(base + 64, base + scanned, 20)).toBe(base + end);
    }
  });

  it('looks no further than it is told, and includes the last place', () => {
    memory.set(text, base);
    plant(60000);
    expect(run.cut(base + 64, base + 59999, 20)).toBe(0);
    expect(run.cut(base + 64, base + 60000, 20)).toBe(base + 60000);
    expect(run.cut(base + 60000, base + 60000, 20)).toBe(base + 60000);
    expect(run.cut(base + 60001, base + scanned, 20)).toBe(0);
  });
});

describe('the counter mode', () => {
  const counter = TEXT;
  const stream = TEXT + 16;

  it.each([
    ['00000000000000000000000000000000'],
    ['000000000000000000000000fffffffe'],
    ['0000000000000000fffffffffffffffe'],
    ['fffffffffffffffffffffffffffffffe'],
    ['0123456789abcdefffffffffffffffff'],
  ])('counts as OpenSSL does from %s on', (iv) => {
    const key = Buffer.alloc(32, 7);
    memory.set(Buffer.from(iv, 'hex'), counter);
    run.counters(counter, stream, 3);
    run.counters(counter, stream + 48, 5);
    const blocks = Buffer.from(memory.subarray(stream, stream + 128));
    const ours = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false).update(blocks);
    const theirs = createCipheriv('aes-256-ctr', key, Buffer.from(iv, 'hex')).update(Buffer.alloc(128));
    expect(ours.equals(theirs)).toBe(true);
  });

  it('combines any number of bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), fc.nat(255), (text, mask) => {
        memory.set(text, TEXT);
        memory.fill(mask, TEXT + 128, TEXT + 256);
        run.xor(TEXT, TEXT + 128, text.length);
        expect([...memory.subarray(TEXT, TEXT + text.length)]).toEqual([...text].map((byte) => byte ^ mask));
      }),
    );
  });
});
