import { Tail } from '../tail.ts';
import type { Inhabitant } from './scripts.ts';

/** What a launcher says before the program speaks. */
export type Announcement =
  | ({ readonly what: 'started' } & Inhabitant)
  | { readonly what: 'missing'; readonly part: 'folder' | 'program' | 'dd' };

const STDERR_BYTES = 8 * 1024;

/** A program's standard error, and the announcements that its launcher put into it. */
export class Announcements {
  readonly #mark: string;
  readonly #onEnded: () => void;
  readonly #tail: Tail;
  /** What came of the first line until it is whole. */
  #first: Buffer | undefined = Buffer.alloc(0);
  /** Enough of what came last to find a mark that came in two pieces. */
  #recent = '';
  readonly #announced = Promise.withResolvers<Announcement | undefined>();

  /** @param onEnded told when the program needs no more framed input. */
  constructor(mark: string, onEnded: () => void) {
    this.#mark = mark;
    this.#onEnded = onEnded;
    this.#tail = new Tail(STDERR_BYTES);
  }

  /** The first one; undefined if standard error ended, or began, with something else. */
  get first(): Promise<Announcement | undefined> {
    return this.#announced.promise;
  }

  add(bytes: Uint8Array): void {
    const rest = this.#first === undefined ? bytes : this.#takeFirst(this.#first, bytes);
    if (rest.length === 0) return;
    this.#tail.add(rest);
    const words = `${this.#mark} ended\n`;
    const text = this.#recent + Buffer.from(rest).toString('latin1');
    if (text.includes(words)) this.#onEnded();
    this.#recent = text.slice(-words.length);
  }

  /** Nothing more will come. */
  end(): void {
    if (this.#first !== undefined) this.#tail.add(this.#first);
    this.#first = undefined;
    this.#announced.resolve(undefined);
  }

  /** The program's own words. */
  toString(): string {
    return this.#tail.toString().replaceAll(`${this.#mark} ended`, '').trim();
  }

  /** @returns what does not belong to the announcement. */
  #takeFirst(before: Buffer, bytes: Uint8Array): Uint8Array {
    const all = Buffer.concat([before, bytes]);
    const end = all.indexOf('\n');
    if (end === -1 && all.length < STDERR_BYTES) {
      this.#first = all;
      return new Uint8Array();
    }
    this.#first = undefined;
    const announcement = parse(all.toString('latin1', 0, end), this.#mark);
    this.#announced.resolve(announcement);
    return announcement === undefined ? all : all.subarray(end + 1);
  }
}

function parse(line: string, mark: string): Announcement | undefined {
  const [who, what, pid, born] = line.split(' ');
  if (who !== mark) return undefined;
  if (what === 'folder' || what === 'program' || what === 'dd') return { what: 'missing', part: what };
  return { what: 'started', pid: Number(pid), born: born ?? '0' };
}
