import { Random } from './random.ts';

const SYLLABLES =
  'ba be co cri da do el en fa fi gra gu ha in ja ka la le lo ma mi mon na ne no or pa pe pro qui ra re ri ro sa se so sta ta te ti tor tra u ve vi wa xe yo zu'.split(
    ' ',
  );
const WORDS = 20_000;
/** Draws of one in so many: each word takes a share as its rank in a language would (Zipf). */
const DRAWS = 65_536;

const words = invent();
const draws = Array.from({ length: DRAWS }, (_, n) => {
  const rank = Math.floor(Math.exp(((n + 1) / DRAWS) * Math.log(WORDS))) - 1;
  return words[rank] ?? 'and';
});

/** A word; the first of an invented language are much more frequent than the last. */
export function word(random: Random): string {
  return draws[random.next() & (DRAWS - 1)] ?? 'and';
}

/** So many words with spaces between them. */
export function phrase(random: Random, count: number): string {
  let text = word(random);
  for (let n = 1; n < count; n++) text += ` ${word(random)}`;
  return text;
}

/** Short ones come first, as the frequent words of a language are short. */
function invent(): string[] {
  const random = new Random('a language');
  const found = new Set<string>();
  while (found.size < WORDS) {
    let text = '';
    const syllables = 1 + Math.floor(found.size / 2_000) * 0.4 + random.below(3);
    for (let n = 0; n < syllables; n++) text += SYLLABLES[random.below(SYLLABLES.length)] ?? '';
    found.add(text);
  }
  return [...found];
}
