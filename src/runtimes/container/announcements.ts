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
  /** What came until the first announcement is whole. */
  #first: Buffer | undefined = Buffer.alloc(0);
  /** Enough of what came last to find a mark that came in two pieces. */
  #recent = '';
  #ended = false;
  readonly #announced = Promise.withResolvers<Announcement | undefined>();

  /** @param onEnded told when the program is over, where the launcher says so. */
  constructor(mark: string, onEnded: () => void) {
    this.#mark = mark;
    this.#onEnded = onEnded;
    this.#tail = new Tail(STDERR_BYTES);
  }

  /** The first one; undefined if standard error ended without one, or began with too much else. */
  get first(): Promise<Announcement | undefined> {
    return this.#announced.promise;
  }

  /** Whether the first one is still to come. */
  get isExpected(): boolean {
    return this.#first !== undefined;
  }

  /** Whether the launcher has said that the program is over. */
  get ended(): boolean {
    return this.#ended;
  }

  add(bytes: Uint8Array): void {
    const rest = this.#first === undefined ? bytes : this.#takeFirst(this.#first, bytes);
    if (rest.length === 0) return;
    this.#tail.add(rest);
    const words = `${this.#mark} ended\n`;
    const text = this.#recent + Buffer.from(rest).toString('latin1');
    if (text.includes(words)) {
      this.#ended = true;
      this.#onEnded();
    }
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

  /**
   * A shell may have something to say before its script has: about a locale that is missing, for example.
   * @returns what does not belong to the announcement.
   */
  #takeFirst(before: Buffer, bytes: Uint8Array): Uint8Array {
    const all = Buffer.concat([before, bytes]);
    const start = lineWith(all, `${this.#mark} `);
    const end = start === -1 ? -1 : all.indexOf('\n', start);
    if (end === -1 && all.length < STDERR_BYTES) {
      this.#first = all;
      return new Uint8Array();
    }
    this.#first = undefined;
    this.#announced.resolve(end === -1 ? undefined : parse(all.toString('latin1', start, end), this.#mark));
    return end === -1 ? all : Buffer.concat([all.subarray(0, start), all.subarray(end + 1)]);
  }
}

/** Where the line begins that begins so; -1 if there is none yet. */
function lineWith(text: Buffer, words: string): number {
  if (text.indexOf(words) === 0) return 0;
  const before = text.indexOf(`\n${words}`);
  return before === -1 ? -1 : before + 1;
}

function parse(line: string, mark: string): Announcement | undefined {
  const [who, what, pid, born] = line.split(' ');
  if (who !== mark) return undefined;
  if (what === 'folder' || what === 'program' || what === 'dd') return { what: 'missing', part: what };
  return { what: 'started', pid: Number(pid), born: born ?? '0' };
}
