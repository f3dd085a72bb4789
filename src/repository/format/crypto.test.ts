import { createCipheriv, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadOpenssl } from './openssl.ts';
import { WasmCipher } from './wasm-cipher.ts';
import type { RepositoryKey } from './cipher.ts';
import { generateKey, SEAL_OVERHEAD, Sealer } from './crypto.ts';

const PIECE = 64 * 1024;

function hex(digits: string): Uint8Array {
  return new Uint8Array(Buffer.from(digits, 'hex'));
}

/** What this key seals `plain` to under a chosen IV: OpenSSL's counter mode and Poly1305 by its definition. */
function sealReference(key: RepositoryKey, iv: Uint8Array, plain: Uint8Array): Uint8Array {
  const body = createCipheriv('aes-256-ctr', key.encrypt, iv).update(plain);
  const mask = createCipheriv('aes-128-ecb', key.macK, null).setAutoPadding(false).update(iv);
  const r = littleEndian(key.macR) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
  let sum = 0n;
  for (let at = 0; at < body.length; at += 16) {
    const block = body.subarray(at, at + 16);
    sum = ((sum + littleEndian(block) + (1n << BigInt(8 * block.length))) * r) % ((1n << 130n) - 5n);
  }
  const tag = BigInt.asUintN(128, sum + littleEndian(mask));
  const mac = Buffer.from(tag.toString(16).padStart(32, '0'), 'hex').reverse();
  return Buffer.concat([iv, body, mac]);
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}

describe('Poly1305-AES', () => {
  // From the appendix of "The Poly1305-AES message-authentication code" (D. J. Bernstein, 2005).
  it.each([
    {
      r: '851fc40c3467ac0be05cc20404f3f700',
      k: 'ec074c835580741701425b623235add6',
      nonce: 'fb447350c4e868c52ac3275cf9d4327e',
      message: 'f3f6',
      mac: 'f4c633c3044fc145f84f335cb81953de',
    },
    {
      r: 'a0f3080000f46400d0c7e9076c834403',
      k: '75deaa25c09f208e1dc4ce6b5cad3fbf',
      nonce: '61ee09218d29b0aaed7e154a2c5509cc',
      message: '',
      mac: 'dd3fab2251f11ac759f0887129cc2ee7',
    },
    {
      r: '48443d0bb0d21109c89a100b5ce2c208',
      k: '6acb5f61a7176dd320c5c1eb2edcdc74',
      nonce: 'ae212a55399729595dea458bc621ff0e',
      message: '663cea190ffb83d89593f3f476b6bc24d7e679107ea26adb8caf6652d0656136',
      mac: '0ee1c16bb73f0f4fd19881753c01cdbe',
    },
    {
      r: '12976a08c4426d0ce8a82407c4f48207',
      k: 'e1a5668a4d5b66a5f68cc5424ed5982d',
      nonce: '9ae831e743978d3a23527c7128149e3a',
      message:
        'ab0812724a7f1e342742cbed374d94d136c6b8795d45b3819830f2c04491faf0' +
        '990c62e48b8018b2c3e4a0fa3134cb67fa83e158c994d961c4cb21095c1bf9',
      mac: '5154ad0d2cb26e01274fc51148491f1b',
    },
  ])('accepts the published tag $mac', ({ r, k, nonce, message, mac }) => {
    const sealer = new Sealer({ encrypt: new Uint8Array(32), macK: hex(k), macR: hex(r) });
    const sealed = hex(nonce + message + mac);
    expect(sealer.open(sealed)).toHaveLength(message.length / 2);
    expect(() => sealer.open(sealed.with(-1, (sealed.at(-1) ?? 0) ^ 1))).toThrow();
  });
});

describe('opening', () => {
  it('reads a message that restic sealed, under a key whose r has bits that Poly1305 ignores', () => {
    const sealer = new Sealer({
      encrypt: hex('303e8687b1d7db18421bdc6bb8588ccadac4d59ee87b8ff70c44e635790cafef'),
      macK: hex('ef4d8824cb80b2bcc5fbff8a9b12a42c'),
      macR: hex('cc8d4b948ee0ebfe1d415de921d10353'),
    });
    const sealed = hex(
      '69fb41c62d12def4593bd71757138606338f621aeaeb39da0fe4f99233f8037a54ea63338a813bcf3f75d8c3cc75dddf8750',
    );
    expect(Buffer.from(sealer.open(sealed)).toString()).toBe('Dies ist ein Test!');
  });

  it.each([
    ['00000000000000000000000000000001'],
    ['0000000000000000fffffffffffffff0'],
    ['ffffffffffffffffffffffffffffff00'],
    ['ffffffffffffffffffffffffffffffff'],
  ])('lets the 128-bit counter that starts at %s wrap around', (iv) => {
    const key = generateKey();
    const plain = randomBytes(3 * PIECE + 5);
    expect(Buffer.from(new Sealer(key).open(sealReference(key, hex(iv), plain))).equals(plain)).toBe(true);
  });

  it('finds any flipped bit', () => {
    const sealer = new Sealer(generateKey());
    for (const length of [0, 1, 16, 47]) {
      const sealed = sealer.seal(randomBytes(length));
      for (let bit = 0; bit < sealed.length * 8; bit++) {
        const changed = sealed.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
        expect(() => sealer.open(changed)).toThrow(expect.objectContaining({ code: 'repository-damaged' }));
      }
    }
  });

  it('finds bytes that are missing, added or moved', () => {
    const sealer = new Sealer(generateKey());
    const sealed = sealer.seal(randomBytes(2 * PIECE));
    const swapped = Buffer.concat([
      sealed.subarray(0, 16),
      sealed.subarray(16 + PIECE, 16 + 2 * PIECE),
      sealed.subarray(16, 16 + PIECE),
      sealed.subarray(16 + 2 * PIECE),
    ]);
    for (const changed of [sealed.subarray(1), sealed.subarray(0, -1), Buffer.concat([sealed, sealed]), swapped]) {
      expect(() => sealer.open(changed)).toThrow(expect.objectContaining({ code: 'repository-damaged' }));
    }
    expect(sealer.open(sealed)).toHaveLength(2 * PIECE);
  });

  it('refuses what is too short to be sealed, and another key', () => {
    const sealer = new Sealer(generateKey());
    for (const length of [0, 1, 31]) {
      expect(() => sealer.open(new Uint8Array(length))).toThrow(`${length} bytes`);
    }
    expect(() => new Sealer(generateKey()).open(sealer.seal(new Uint8Array(9)))).toThrow('does not match');
  });
});

describe('sealing', () => {
  const key = generateKey();
  const sealer = new Sealer(key);

  it('is undone by opening, and writes what the definition writes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (plain) => {
        const sealed = sealer.seal(plain);
        expect(Buffer.from(new Sealer(key).open(sealed)).equals(plain)).toBe(true);
        expect(Buffer.from(sealReference(key, sealed.subarray(0, 16), plain)).equals(sealed)).toBe(true);
      }),
    );
  });

  it.each([0, 1, 15, 16, 17, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 5 * PIECE + 17])(
    'handles %i bytes, before, at and after the borders of its pieces',
    (length) => {
      const plain = randomBytes(length);
      const sealed = sealer.seal(plain);
      expect(sealed).toHaveLength(length + SEAL_OVERHEAD);
      expect(Buffer.from(sealReference(key, sealed.subarray(0, 16), plain)).equals(sealed)).toBe(true);
      expect(Buffer.from(sealer.open(sealed)).equals(plain)).toBe(true);
    },
  );

  it('takes a new IV for every message', () => {
    const ivs = Array.from({ length: 2000 }, () => Buffer.from(sealer.seal(new Uint8Array(4))).toString('hex', 0, 16));
    expect(new Set(ivs).size).toBe(ivs.length);
  });

  it('touches nothing but its place in the target', () => {
    const target = new Uint8Array(200).fill(0xaa);
    expect(sealer.sealInto(new Uint8Array(33), target, 50)).toBe(65);
    expect([...target.subarray(0, 50), ...target.subarray(115)].every((byte) => byte === 0xaa)).toBe(true);
    expect(sealer.open(target.subarray(50, 115))).toEqual(new Uint8Array(33));
  });
});

describe('a new key', () => {
  it('is random, and has the bits of r cleared that Poly1305 ignores', () => {
    const [one, other] = [generateKey(), generateKey()];
    expect(one.encrypt).not.toEqual(other.encrypt);
    expect([one.encrypt.length, one.macK.length, one.macR.length]).toEqual([32, 16, 16]);
    for (const { macR } of [one, other]) {
      expect(littleEndian(macR) & ~0x0ffffffc0ffffffc0ffffffc0fffffffn).toBe(0n);
    }
  });
});

describe('the ciphers', () => {
  it('compute the same, whatever the length', () => {
    const key = generateKey();
    const fast = loadOpenssl()?.(key);
    if (fast === undefined) throw new Error('this Node does not let its OpenSSL be called');
    const portable = new WasmCipher(key);
    const lengths = fc.oneof(fc.nat(100), fc.constantFrom(PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 200_001));
    fc.assert(
      fc.property(lengths, fc.uint8Array({ minLength: 16, maxLength: 16 }), (length, iv) => {
        const message = randomBytes(length);
        const results = [fast, portable].map((cipher) => {
          const [output, tag] = [new Uint8Array(length), new Uint8Array(16)];
          cipher.crypt(iv, message, output);
          cipher.authenticate(iv, message, tag);
          return Buffer.concat([output, tag]).toString('hex');
        });
        expect(results[0] === results[1]).toBe(true);
      }),
    );
  });
});
