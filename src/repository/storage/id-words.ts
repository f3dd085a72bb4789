/**
 * Ids as eight 32-bit words, so that tables of a million of them need no strings. The words follow the machine's byte
 * order: they never leave the process.
 */
import { ID_BYTES, type Id, readHex, readId } from '../format/id.ts';

export const ID_WORDS = 8;

/** One id, seen as bytes and as words. Each thread keeps its own and overwrites it at every look-up. */
export class IdWords {
  readonly words = new Uint32Array(ID_WORDS);
  readonly bytes = Buffer.from(this.words.buffer);

  setId(id: Id): this {
    this.bytes.write(id, 'hex');
    return this;
  }

  /** @param at where the id's hexadecimal digits begin in `text`. @returns whether there are as many as it takes */
  setHex(text: Uint8Array, at: number): boolean {
    return readHex(text, at, this.bytes, 0);
  }

  setWords(table: Uint32Array, at: number): this {
    for (let i = 0; i < ID_WORDS; i++) this.words[i] = table[at + i] ?? 0;
    return this;
  }

  /** Whether the eight words from `at` are this id. */
  equals(table: Uint32Array, at: number): boolean {
    const words = this.words;
    for (let i = 0; i < ID_WORDS; i++) if (words[i] !== table[at + i]) return false;
    return true;
  }

  /** A position in a table of `slots`. */
  slot(slots: number): number {
    return slotOf(this.words, 0, slots);
  }
}

/** The position in a table of `slots` for the id at `at`. Ids are hashes already: two of their words are enough. */
export function slotOf(words: Uint32Array, at: number, slots: number): number {
  const mixed = ((words[at] ?? 0) ^ Math.imul(words[at + 1] ?? 0, 0x9e37_79b1)) >>> 0;
  return Math.floor((mixed / 0x1_0000_0000) * slots);
}

/** The ids of a table that holds nothing else. */
export function* idsIn(table: Uint32Array): Generator<Id, void, undefined> {
  for (let at = 0; at < table.length; at += ID_WORDS) yield idAt(table, at);
}

/** The id whose words start at `at`. */
export function idAt(table: Uint32Array, at: number): Id {
  return readId(new Uint8Array(table.buffer, table.byteOffset + at * 4, ID_BYTES), 0);
}
