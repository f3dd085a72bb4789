import { expect, it } from 'vitest';
import { LongestLine } from './packet-room.ts';

it.each([
  ['one that goes over several pieces', ['a\nbb', 'bbbb', 'bb\nc\n'], 8],
  ['one at the end without its line break', ['a\n', 'bbb', 'bb'], 5],
  ['nothing', [], 0],
])('the longest line is known: %s', (_what, pieces, longest) => {
  const found = new LongestLine();
  for (const piece of pieces) found.take(Buffer.from(piece));
  expect(found.bytes).toBe(longest);
});
