import { throwIfAborted } from '../errors.ts';

/** How a place far away is walked through. */
export interface WalkRules<T> {
  /** How many folders are asked for their content at once. */
  readonly atOnce: number;
  /** What lies in the folder of a prefix that ends in a slash, or is empty; nothing where there is none. */
  readonly content: (prefix: string) => Promise<readonly T[]>;
  /** Undefined: neither, and passed over. */
  readonly kindOf: (found: T) => 'file' | 'folder' | undefined;
}

/** All files below a prefix, level by level. */
export async function* walk<T extends { readonly key: string }>(
  prefix: string,
  { atOnce, content, kindOf }: WalkRules<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  let level = [prefix];
  while (level.length > 0) {
    const deeper: string[] = [];
    for (let at = 0; at < level.length; at += atOnce) {
      for (const found of (await Promise.all(level.slice(at, at + atOnce).map(content))).flat()) {
        throwIfAborted(signal);
        const kind = kindOf(found);
        if (kind === 'folder') deeper.push(`${found.key}/`);
        else if (kind === 'file') yield found;
      }
    }
    level = deeper;
  }
}
