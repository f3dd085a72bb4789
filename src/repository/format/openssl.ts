/**
 * Counter mode and Poly1305 by the OpenSSL inside the Node executable, called by its public C interface: `node:crypto`
 * offers the former with a new object for every message, and the latter not at all. Several times as fast as WebAssembly.
 */
import type Koffi from 'koffi';
import { RespaldoError } from '../../errors.ts';
import type { Cipher, RepositoryKey } from './cipher.ts';
import { requireKoffi } from '../koffi.ts';

type Call = (...values: unknown[]) => unknown;

const BLOCK = 16;
/** OpenSSL counts in `int`. */
const MOST_AT_ONCE = 1 << 30;

let bound: ((key: RepositoryKey) => Cipher) | null | undefined;

/** Undefined where this Node or this system does not allow it. */
export function loadOpenssl(): ((key: RepositoryKey) => Cipher) | undefined {
  if (bound === undefined) {
    try {
      bound = bind(requireKoffi());
    } catch {
      bound = null;
    }
  }
  return bound ?? undefined;
}

interface Contexts {
  readonly counter: unknown;
  readonly mask: unknown;
  readonly mac: unknown;
}

function bind(koffi: typeof Koffi): (key: RepositoryKey) => Cipher {
  const library = koffi.load(null);
  const newCipher: Call = library.func('void *EVP_CIPHER_CTX_new()');
  const freeCipher: Call = library.func('void EVP_CIPHER_CTX_free(void *context)');
  const init: Call = library.func(
    'int EVP_EncryptInit_ex(void *context, void *cipher, void *engine, const void *key, const void *iv)',
  );
  const update: Call = library.func(
    'int EVP_EncryptUpdate(void *context, void *output, void *written, const void *input, int size)',
  );
  const setPadding: Call = library.func('int EVP_CIPHER_CTX_set_padding(void *context, int on)');
  const newMac: Call = library.func('void *EVP_MAC_CTX_new(void *mac)');
  const freeMac: Call = library.func('void EVP_MAC_CTX_free(void *context)');
  const initMac: Call = library.func('int EVP_MAC_init(void *context, const void *key, size_t size, const void *none)');
  const updateMac: Call = library.func('int EVP_MAC_update(void *context, const void *data, size_t size)');
  const endMac: Call = library.func('int EVP_MAC_final(void *context, void *tag, void *written, size_t capacity)');
  const counterMode = present(library.func('void *EVP_aes_256_ctr()')());
  const blockMode = present(library.func('void *EVP_aes_128_ecb()')());
  const fetchMac: Call = library.func('void *EVP_MAC_fetch(void *library, const char *name, const char *properties)');
  const poly1305 = present(fetchMac(null, 'POLY1305', null));
  const released = new FinalizationRegistry<Contexts>(({ counter, mask, mac }) => {
    freeCipher(counter);
    freeCipher(mask);
    freeMac(mac);
  });
  const written = new BigUint64Array(1);

  function openContexts(key: RepositoryKey): Contexts {
    const contexts = { counter: present(newCipher()), mask: present(newCipher()), mac: present(newMac(poly1305)) };
    done(init(contexts.counter, counterMode, null, key.encrypt, null));
    done(init(contexts.mask, blockMode, null, key.macK, null));
    done(setPadding(contexts.mask, 0));
    return contexts;
  }

  return (key) => {
    const contexts = openContexts(key);
    /** r, then what hides the sum: AES of the nonce. */
    const macKey = new Uint8Array(2 * BLOCK);
    macKey.set(key.macR);
    const hidden = macKey.subarray(BLOCK);
    const cipher: Cipher = {
      crypt(iv, input, output) {
        done(init(contexts.counter, null, null, null, iv));
        for (let at = 0; at < input.length; at += MOST_AT_ONCE) {
          const piece = at === 0 && input.length <= MOST_AT_ONCE ? input : input.subarray(at, at + MOST_AT_ONCE);
          done(update(contexts.counter, at === 0 ? output : output.subarray(at), written, piece, piece.length));
        }
      },
      authenticate(iv, message, tag) {
        done(update(contexts.mask, hidden, written, iv, BLOCK));
        done(initMac(contexts.mac, macKey, macKey.length, null));
        if (message.length > 0) done(updateMac(contexts.mac, message, message.length));
        done(endMac(contexts.mac, tag, written, BLOCK));
      },
    };
    released.register(cipher, contexts);
    return cipher;
  };
}

function present(pointer: unknown): unknown {
  if (pointer === null) throw new RespaldoError('internal', 'OpenSSL lacks what sealing needs, or memory for it');
  return pointer;
}

function done(result: unknown): void {
  if (result !== 1) throw new RespaldoError('internal', 'OpenSSL failed to seal or to open stored data');
}
