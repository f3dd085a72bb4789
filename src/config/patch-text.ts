/** Carries what was changed in one text over to another one that differs from the first in white space alone. */

/** The characters of a text that are not white space, and where they stand. */
interface Ink {
  readonly text: string;
  readonly characters: string;
  readonly places: readonly number[];
}

/**
 * `original` with the lines changed that differ between `before` and `after`. Lines that are the same there stay as
 * they are in `original`, to the last space.
 * @returns undefined where `before` is more than `original` with other white space.
 */
export function patchText(original: string, before: string, after: string): string | undefined {
  const [own, old, fresh] = [inkOf(original), inkOf(before), inkOf(after)];
  if (own.characters !== old.characters) return undefined;
  const first = lastLineEnd(own, fresh, commonStart(old, fresh));
  const last = lastLineStart(own, fresh, commonEnd(old, fresh, first));
  const cut = placeAfter(own, first);
  const rest = placeFromEnd(own, last);
  const changed = fresh.text.slice(placeAfter(fresh, first), placeFromEnd(fresh, last)).trimEnd();
  const space = /\s*$/.exec(original.slice(cut, rest))?.[0] ?? '';
  return original.slice(0, cut) + changed + space + original.slice(rest);
}

function inkOf(text: string): Ink {
  const places = [...text.matchAll(/\S/g)].map(({ index }) => index);
  return { text, characters: places.map((at) => text[at]).join(''), places };
}

/** How many characters are the same at the beginning. */
function commonStart({ characters: a }: Ink, { characters: b }: Ink): number {
  let count = 0;
  while (count < Math.min(a.length, b.length) && a[count] === b[count]) count += 1;
  return count;
}

/** How many are the same at the end, without the first `head`. */
function commonEnd({ characters: a }: Ink, { characters: b }: Ink, head: number): number {
  let count = 0;
  while (count < Math.min(a.length, b.length) - head && a.at(-1 - count) === b.at(-1 - count)) count += 1;
  return count;
}

/** The most of the `head` first characters that end a line in both texts. */
function lastLineEnd(a: Ink, b: Ink, head: number): number {
  const ends = (ink: Ink, count: number): boolean => /^[^\S\n]*(\n|$)/.test(ink.text.slice(placeAfter(ink, count)));
  let count = head;
  while (count > 0 && !(ends(a, count) && ends(b, count))) count -= 1;
  return count;
}

/** The most of the `tail` last characters that begin a line in both texts. */
function lastLineStart(a: Ink, b: Ink, tail: number): number {
  const starts = (ink: Ink, count: number): boolean =>
    /(^|\n)[^\S\n]*$/.test(ink.text.slice(0, placeFromEnd(ink, count)));
  let count = tail;
  while (count > 0 && !(starts(a, count) && starts(b, count))) count -= 1;
  return count;
}

/** Right behind the first `count` characters. */
function placeAfter({ places }: Ink, count: number): number {
  return count === 0 ? 0 : (places[count - 1] ?? 0) + 1;
}

/** At the first of the last `count` characters; the end of the text for none. */
function placeFromEnd({ places, text }: Ink, count: number): number {
  return count === 0 ? text.length : (places[places.length - count] ?? 0);
}
