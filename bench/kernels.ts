/**
 * How fast one thread goes through the inner loops of a backup: `node bench/kernels.ts`.
 *
 * Megabytes (10^6 bytes) per second of processor time, so that other work on the machine hardly disturbs; the best of
 * several rounds.
 */
import { createHash, hash, scryptSync } from 'node:crypto';
import { Chunker } from '../src/repository/format/chunker.ts';
import { compress, decompress } from '../src/repository/format/compress.ts';
import { generateKey, Sealer } from '../src/repository/format/crypto.ts';
import { loadDiscard } from '../src/repository/kernel/discard.ts';
import { createKernel } from '../src/repository/kernel/kernel.ts';
import { scrypt } from '../src/repository/kernel/scrypt.ts';

const MIB = 1024 * 1024;
const ROUNDS = 5;
/** Bytes that one round works on. */
const ROUND_BYTES = 64 * MIB;

function measure(name: string, size: number, work: () => void): void {
  const times = Math.max(1, Math.ceil(ROUND_BYTES / size));
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.cpuUsage();
    for (let i = 0; i < times; i++) work();
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, user + system);
  }
  const rate = (size * times) / best;
  const each = best / times;
  console.log(`${name.padEnd(28)}${rate.toFixed(0).padStart(7)} MB/s${each.toFixed(2).padStart(12)} µs each`);
}

/** The same pseudo-random bytes in every run. */
function noise(length: number): Uint8Array {
  const bytes = Buffer.alloc(length);
  for (let at = 0, counter = 0; at < length; at += 32) {
    createHash('sha256').update(String(counter++)).digest().copy(bytes, at);
  }
  return bytes;
}

/** Compresses about as well as a table's rows do. */
function prose(length: number): Uint8Array {
  const digest = noise(8192);
  const words = Array.from({ length: 4096 }, (_, i) => Buffer.from(digest.subarray(i, i + 5)).toString('base64'));
  let text = '';
  for (let i = 0; text.length < length; i++) {
    text += `${String(i)}\t${words[(i * 7919) % 4096] ?? ''}\t${words[(i * 31) % 97] ?? ''}\tMadrid\n`;
  }
  return Buffer.from(text).subarray(0, length);
}

function measureChunker(): void {
  const chunker = new Chunker(0x3da3358b4dc173n, 32 * MIB);
  chunker.window.set(noise(32 * MIB));
  measure('chunker', 32 * MIB, () => {
    for (let start = 0; start < 32 * MIB;) start = chunker.next(start, 32 * MIB, true);
  });
}

function measurePoly1305(): void {
  const { run, base, memory } = createKernel(MIB + 64);
  memory.set(noise(MIB + 64), base);
  run.poly1305Begin(base);
  measure('poly1305, 64 KiB', 64 * 1024, () => run.poly1305Blocks(base + 64, 64 * 1024));
}

function measureSealer(size: number): void {
  const sealer = new Sealer(generateKey());
  const plain = noise(size);
  const target = new Uint8Array(size + 32);
  measure(`seal, ${String(size / 1024)} KiB`, size, () => sealer.sealInto(plain, target, 0));
  measure(`open, ${String(size / 1024)} KiB`, size, () => sealer.open(target));
}

function measureZstd(size: number): void {
  const plain = prose(size);
  for (const level of [1, 2, 3]) {
    measure(`zstd -${String(level)}, ${String(size / 1024)} KiB`, size, () => compress(plain, level));
  }
  const packed = compress(plain);
  measure(`unzstd, ${String(size / 1024)} KiB`, size, () => decompress(packed, size));
}

/** What opening a repository costs, by our kernel and by OpenSSL. */
async function measureScrypt(): Promise<void> {
  const cost = { N: 32768, r: 8, p: 5 };
  const salt = noise(64);
  const discard = loadDiscard() ?? (() => undefined);
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.cpuUsage();
    await scrypt('password', salt, 64, cost, { discard });
    const middle = process.cpuUsage();
    scryptSync('password', salt, 64, { ...cost, maxmem: 128 * MIB });
    const [ours, openssl] = [process.cpuUsage(start), process.cpuUsage(middle)].map(
      ({ user, system }) => user + system,
    );
    const theirs = openssl ?? 0;
    const [own, other] = [(ours ?? 0) - theirs, theirs].map((time) => `${(time / 1000).toFixed(0)} ms`);
    console.log(`${'scrypt'.padEnd(28)}${(own ?? '').padStart(12)}, OpenSSL ${other ?? ''}`);
  }
}

const megabyte = noise(MIB);
await measureScrypt();
measure('sha256, 1 MiB', MIB, () => hash('sha256', megabyte, 'hex'));
measure('sha256, 4 KiB', 4096, () => hash('sha256', megabyte.subarray(0, 4096), 'hex'));
measureChunker();
measurePoly1305();
for (const size of [512, 4096, MIB]) measureSealer(size);
for (const size of [4096, MIB]) measureZstd(size);
