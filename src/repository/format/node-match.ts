/**
 * Whether a stored node describes an entry as it is now, decided without making or parsing a node: a backup asks this of
 * every entry. Writes down the same as `encodeNodeHead`, piece by piece.
 */
import { goMode, type NodeType } from './node.ts';
import type { Instant, Stat } from './stat.ts';
import { goJsonString, goQuote, isPlain } from './quote.ts';
import { secondText } from './time.ts';

/** Names of users and groups. */
export interface Owners {
  user(uid: number): string | undefined;
  group(gid: number): string | undefined;
}

const POINT = 0x2e;
const ZERO = 0x30;
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

export class NodeMatcher {
  readonly #owners: Owners;
  /** By type, then by permission bits. */
  readonly #kinds = new Map<NodeType, Map<number, string>>();
  /** By user, then by group. */
  readonly #owned = new Map<number, Map<number, string>>();
  #text = '';
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;

  constructor(owners: Owners) {
    this.#owners = owners;
  }

  /**
   * Where the head of the node at `start` ends (what may follow: attributes, content, subtree), if it is the entry's;
   * else -1.
   * @param text of the stored tree, a character for each byte
   */
  match(text: string, bytes: Uint8Array, start: number, name: string, entry: Stat): number {
    this.#text = text;
    this.#bytes = bytes;
    this.#at = start;
    return this.#name(name) && this.#literal(this.#kind(entry)) && this.#times(entry) && this.#rest(entry)
      ? this.#at
      : -1;
  }

  #name(name: string): boolean {
    return (
      this.#literal('{"name":"') &&
      this.#literal(isPlain(name) ? name : stored(goJsonString(goQuote(name))).slice(1, -1))
    );
  }

  #times({ mtime, ctime }: Stat): boolean {
    return (
      this.#instant(mtime) &&
      this.#literal('","atime":"') &&
      this.#instant(mtime) &&
      this.#literal('","ctime":"') &&
      this.#instant(ctime)
    );
  }

  #rest(entry: Stat): boolean {
    const isFolder = entry.type === 'dir' || entry.type === 'fifo' || entry.type === 'socket';
    return (
      this.#literal(this.#owner(entry)) &&
      this.#long(',"inode":', entry.inode) &&
      this.#long(',"device_id":', entry.device) &&
      (entry.type !== 'file' || this.#number(',"size":', entry.size)) &&
      (isFolder || this.#number(',"links":', entry.links)) &&
      ((entry.type !== 'dev' && entry.type !== 'chardev') || this.#long(',"device":', entry.rdev))
    );
  }

  #kind({ type, permissions }: Stat): string {
    return recall(recall(this.#kinds, type, newTexts), permissions, () => {
      const mode = goMode(type, permissions);
      return `","type":"${type}"${mode === 0 ? '' : `,"mode":${String(mode)}`},"mtime":"`;
    });
  }

  #owner({ uid, gid }: Stat): string {
    return recall(recall(this.#owned, uid, newTexts), gid, () => {
      const user = this.#owners.user(uid);
      const group = this.#owners.group(gid);
      const names = (user ? `,"user":${goJsonString(user)}` : '') + (group ? `,"group":${goJsonString(group)}` : '');
      return stored(`","uid":${String(uid)},"gid":${String(gid)}${names}`);
    });
  }

  #instant({ seconds, nanoseconds }: Instant): boolean {
    const { clock, zone } = secondText(seconds);
    return this.#literal(clock) && (nanoseconds === 0 || this.#fraction(nanoseconds)) && this.#literal(zone);
  }

  /** A point and the digits, without zeros at the end. */
  #fraction(nanoseconds: number): boolean {
    if (this.#bytes[this.#at++] !== POINT) return false;
    let rest = nanoseconds;
    for (let unit = 100_000_000; rest > 0; unit /= 10) {
      const digit = Math.trunc(rest / unit);
      if (this.#bytes[this.#at++] !== ZERO + digit) return false;
      rest -= digit * unit;
    }
    return true;
  }

  #long(field: string, value: bigint): boolean {
    if (value <= MAX_SAFE) return this.#number(field, Number(value));
    return this.#literal(field) && this.#literal(String(value));
  }

  /** Zero is left out. */
  #number(field: string, value: number): boolean {
    return value === 0 || (this.#literal(field) && this.#digits(value));
  }

  #digits(value: number): boolean {
    let found = 0;
    let at = this.#at;
    for (; found <= value; at++) {
      const digit = (this.#bytes[at] ?? 0) - ZERO;
      if (digit < 0 || digit > 9) break;
      found = found * 10 + digit;
    }
    const isSame = found === value && this.#bytes[this.#at] !== ZERO;
    this.#at = at;
    return isSame;
  }

  #literal(piece: string): boolean {
    if (!this.#text.startsWith(piece, this.#at)) return false;
    this.#at += piece.length;
    return true;
  }
}

/** A character for each byte of the text's UTF-8. */
function stored(text: string): string {
  return Buffer.from(text).toString('latin1');
}

function newTexts(): Map<number, string> {
  return new Map();
}

function recall<K, V>(kept: Map<K, V>, key: K, make: () => V): V {
  const known = kept.get(key);
  if (known !== undefined) return known;
  const made = make();
  kept.set(key, made);
  return made;
}
