/** What one core needs for each stage of a first backup if it does nothing else: the machine's limit. */
import { closeSync, fsyncSync, lstatSync, openSync, readdirSync, readSync, writeSync } from 'node:fs';
import { hash } from 'node:crypto';
import { Cutter, CUTTER_WINDOW } from '../src/repository/archiver/cutter.ts';
import { Chunker } from '../src/repository/format/chunker.ts';
import { compress } from '../src/repository/format/compress.ts';
import { generateKey, Sealer } from '../src/repository/format/crypto.ts';
import { threadTime } from './thread-time.ts';

export type StageName = 'list' | 'read' | 'cut' | 'hash' | 'compress' | 'seal' | 'write';

export interface Limit {
  /** Bytes that went through; for `list` the number of entries. */
  readonly amount: number;
  /** Seconds of one thread's processor time. */
  readonly seconds: number;
}

const POLYNOMIAL = 0x3da3358b4dc173n;
/** As the archiver compresses. */
const LEVEL = 2;

/** Takes everything in `folder` through all stages, one after the other. @param target a file that is written */
export function measureLimits(folder: string, target: string): Record<StageName, Limit> {
  const pass = new Pass(target);
  pass.folder(folder);
  return pass.finish();
}

class Pass {
  readonly #limits: Record<StageName, { amount: number; seconds: number }> = {
    list: { amount: 0, seconds: 0 },
    read: { amount: 0, seconds: 0 },
    cut: { amount: 0, seconds: 0 },
    hash: { amount: 0, seconds: 0 },
    compress: { amount: 0, seconds: 0 },
    seal: { amount: 0, seconds: 0 },
    write: { amount: 0, seconds: 0 },
  };
  readonly #cutter = new Cutter(new Chunker(POLYNOMIAL, CUTTER_WINDOW));
  readonly #sealer = new Sealer(generateKey());
  readonly #known = new Set<string>();
  readonly #target: number;

  constructor(target: string) {
    this.#target = openSync(target, 'wx');
  }

  folder(path: string): void {
    const entries = this.#time('list', 1, () =>
      readdirSync(path).map((name) => {
        const inner = `${path}/${name}`;
        return { inner, stats: lstatSync(inner, { bigint: true }) };
      }),
    );
    this.#limits.list.amount += entries.length;
    for (const { inner, stats } of entries) {
      if (stats.isDirectory()) this.folder(inner);
      else if (stats.isFile()) this.#file(inner);
    }
  }

  finish(): Record<StageName, Limit> {
    this.#time('write', 0, () => fsyncSync(this.#target));
    closeSync(this.#target);
    return this.#limits;
  }

  #file(path: string): void {
    const fd = this.#time('read', 0, () => openSync(path, 'r'));
    this.#cutter.reset();
    for (;;) {
      const space = this.#cutter.space();
      const length = this.#time('read', 0, () => readSync(fd, space, 0, space.length, null));
      this.#limits.read.amount += length;
      this.#cutter.filled(length);
      for (let chunk = this.#cut(length); chunk !== undefined; chunk = this.#cut(length)) this.#chunk(chunk);
      if (length === 0) break;
    }
    this.#time('read', 0, () => closeSync(fd));
  }

  #cut(read: number): Uint8Array | undefined {
    const chunk = this.#time('cut', 0, () => this.#cutter.take(read === 0));
    this.#limits.cut.amount += chunk?.length ?? 0;
    return chunk;
  }

  #chunk(chunk: Uint8Array): void {
    const id = this.#time('hash', chunk.length, () => hash('sha256', chunk, 'hex'));
    if (this.#known.has(id)) return;
    this.#known.add(id);
    const packed = this.#time('compress', chunk.length, () => compress(chunk, LEVEL));
    const stored = packed.length < chunk.length ? packed : chunk;
    const sealed = this.#time('seal', stored.length, () => this.#sealer.seal(stored));
    // A pack's id is the hash of all of it.
    this.#time('hash', sealed.length, () => hash('sha256', sealed, 'hex'));
    this.#time('write', sealed.length, () => writeSync(this.#target, sealed));
  }

  #time<T>(stage: StageName, amount: number, work: () => T): T {
    const before = threadTime();
    const result = work();
    const limit = this.#limits[stage];
    limit.seconds += threadTime() - before;
    limit.amount += amount;
    return result;
  }
}
