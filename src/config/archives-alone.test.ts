import { describe, expect, it } from 'vitest';
import { goToArchivesAlone } from './archives-alone.ts';
import { readDocument } from './document.ts';

const content = readDocument(`
# not archives: by their words alone
repositories: { main: { url: ./archives } }
archives: { here: { url: ./a } }
plans:
  plain: { source: ./files }
  alone: { source: ./files, archives: here }
  both: { source: ./files, archives: [here], repository: main }
  other: { source: ./files, archives: [here] }
`).content;

describe('plans that go to archives alone', () => {
  it.each([
    { names: ['alone'], is: true },
    { names: ['alone', 'other'], is: true },
    { names: ['both'], is: false },
    { names: ['alone', 'both'], is: false },
    { names: ['plain'], is: false },
    { names: ['./archives'], is: false },
    { names: ['toString'], is: false },
    { names: [], is: false },
  ])('are known before the file is checked: $names, $is', ({ names, is }) => {
    expect(goToArchivesAlone(names, content)).toBe(is);
  });

  it('are all of a file that has no others', () => {
    const { content: these } = readDocument('plans: { alone: { archives: here }, other: { archives: [here] } }');
    expect(goToArchivesAlone([], these)).toBe(true);
    expect(goToArchivesAlone(['./folder'], these)).toBe(false);
  });

  it.each(['', 'plans:', 'plans: [a]', 'plans: { a: }', '- a', 'a: [', 'text'])(
    'are none where nothing of the kind is written: %s',
    (text) => {
      expect(goToArchivesAlone(['a'], readDocument(text).content)).toBe(false);
      expect(goToArchivesAlone([], readDocument(text).content)).toBe(false);
    },
  );
});
