import fc from 'fast-check';
import { expect, it } from 'vitest';
import { patchText } from './patch-text.ts';

it('changes the lines that were changed, and leaves all others as they are', () => {
  const original = 'a:   1  # one\n\n\nb: {x:1}\nc: 3\n';
  const before = 'a: 1 # one\n\nb: { x: 1 }\nc: 3\n';
  expect(patchText(original, before, before.replace('c: 3', 'c: 4'))).toBe('a:   1  # one\n\n\nb: {x:1}\nc: 4\n');
  expect(patchText(original, before, before.replace('\n\nb', '\nbb: 2\n\nb'))).toBe(
    'a:   1  # one\nbb: 2\n\n\nb: {x:1}\nc: 3\n',
  );
  expect(patchText(original, before, 'a: 1 # one\n\nc: 3\n')).toBe('a:   1  # one\nc: 3\n');
  expect(patchText(original, before, before)).toBe(original);
});

it('gives up where more than white space differs', () => {
  expect(patchText('a: 1\n', "a: '1'\n", "a: '2'\n")).toBeUndefined();
});

it('changes nothing but white space of what was wanted, whatever the texts', () => {
  const text = fc.array(fc.constantFrom('a', 'b', ' ', '\n', ':'), { maxLength: 30 }).map((all) => all.join(''));
  const ink = (value: string | undefined): string | undefined => value?.replaceAll(/\s/g, '');
  fc.assert(
    fc.property(text, text, (before, after) => {
      const original = before.replaceAll(' ', '   ').replaceAll('\n', ' \n\n');
      expect(ink(patchText(original, before, after))).toBe(ink(after));
    }),
  );
});
