import type { Snapshot } from './snapshot.ts';

/** The tag by which a snapshot tells the name that a person gave it. */
export function nameTag(name: string): string {
  return `name=${name}`;
}

/** Why a text cannot name a snapshot; nothing if it can. What looks like an id, or has a meaning in one, is none. */
export function nameComplaint(name: string): string | undefined {
  if (!/^[\p{L}\p{N}][\p{L}\p{N}_.-]{0,99}$/u.test(name))
    return 'a name holds letters, digits, _, . and - only, starts with a letter or digit, and has up to 100 of them';
  if (name === 'latest') return 'latest stands for the newest snapshot';
  return /^[0-9a-f]{1,64}$/i.test(name) ? 'it could be taken for the beginning of an id' : undefined;
}

/** The name that a person gave the snapshot, if any did. */
export function nameOf({ tags = [] }: Pick<Snapshot, 'tags'>): string | undefined {
  return tags.find((tag) => tag.startsWith(nameTag('')))?.slice(nameTag('').length);
}
