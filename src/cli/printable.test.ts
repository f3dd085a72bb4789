import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeName } from '../domain/name.ts';
import { harmless, quoted } from './printable.ts';

/** Whatever could move a terminal's cursor, change its colours or turn its text round. */
const DANGEROUS = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/u;

test('plain names, also in other scripts and with emoji, are shown as they are', () => {
  for (const name of ['/etc/hosts', 'año nuevo', '日本語', '👩‍👧.png'.replace('\u200d', ''), 'a"b\\c', "it's"])
    expect(quoted(name)).toBe(name);
});

test('names that would act on a terminal are quoted and escaped', () => {
  expect(quoted('a\nsnapshot 1a2b3c4d saved')).toBe(String.raw`"a\nsnapshot 1a2b3c4d saved"`);
  expect(quoted('\u001b[2Jgone')).toBe(String.raw`"\x1b[2Jgone"`);
  expect(quoted('\u009b31m')).toBe(String.raw`"\x9b31m"`);
  expect(quoted('gnp.\u202eexe')).toBe(String.raw`"gnp.\u202eexe"`);
  expect(quoted('a"\t\\')).toBe(String.raw`"a\"\t\\"`);
});

test('a name that begins with a quote is quoted, so that it cannot pass for an escaped one', () => {
  expect(quoted(String.raw`"a\nb"`)).toBe(String.raw`"\"a\\nb\""`);
});

test('bytes that are not UTF-8 show as themselves', () => {
  expect(quoted(decodeName(Uint8Array.of(0x61, 0xff, 0x80)))).toBe(String.raw`"a\xff\x80"`);
});

test('a further line of a message cannot pose as a line of its own', () => {
  expect(harmless('tool failed:\r\nrespaldo: all is well\u001b[0m')).toBe(
    'tool failed:\n  respaldo: all is well\\x1b[0m',
  );
});

test('nothing dangerous is left of any name, and different names stay different', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      expect(quoted(a)).not.toMatch(DANGEROUS);
      if (a !== b) expect(quoted(a)).not.toBe(quoted(b));
    }),
  );
});
