/**
 * One stage of an archive alone, from standard input: `node bench/archive-stage.ts compress gzip`, `encrypt KEYRING`, or
 * `store FOLDER`. What comes out is thrown away.
 */
import type { Encryption } from '../src/archive/archive.ts';
import { compressed } from '../src/archive/compression.ts';
import { encrypted } from '../src/archive/encryption.ts';
import { findGpgKeys } from '../src/archive/gpg.ts';
import { COMPRESSIONS } from '../src/domain/archive.ts';
import { LocalStore } from '../src/stores/local/local.ts';

const { signal } = new AbortController();
const input = process.stdin as AsyncIterable<Uint8Array>;

async function drained(content: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _piece of content);
}

const [stage, what = ''] = process.argv.slice(2);
switch (stage) {
  case 'compress': {
    const name = COMPRESSIONS.find((one) => one === what) ?? 'gzip';
    await drained(compressed(input, { name }, signal));
    break;
  }
  case 'encrypt': {
    const recipients = await findGpgKeys(['bench@example.com'], what, signal);
    const encryption: Encryption = { tool: 'gpg', recipients, home: what };
    await drained(encrypted(input, encryption, signal));
    break;
  }
  case 'store': {
    const store = new LocalStore(what);
    await store.makePlace(signal);
    await store.writeStream('file', input, signal);
    break;
  }
  default:
    throw new Error(`there is no stage ${String(stage)}`);
}
