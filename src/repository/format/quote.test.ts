import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeName, encodeName } from '../../domain/name.ts';
import { isPrintable } from './printable.ts';
import { goJsonString, goQuote, goUnquote } from './quote.ts';

const anyName = fc.uint8Array({ minLength: 1, maxLength: 40 }).map(decodeName);

describe('quoting a name', () => {
  // What `strconv.Quote` gives, without the quotation marks.
  it.each([
    ['plain name-1.txt', 'plain name-1.txt'],
    [`it's`, `it's`],
    ['new\nline', 'new\\nline'],
    ['quo"te\\', 'quo\\"te\\\\'],
    ['\x07\b\f\r\t\v', '\\a\\b\\f\\r\\t\\v'],
    ['\x00\x1b\x7f', '\\x00\\x1b\\x7f'],
    ['<a>&b', '<a>&b'],
    ['año 😀 日本', 'año 😀 日本'],
    ['\u00a0\u200b\u2028\u00ad\ufeff', '\\u00a0\\u200b\\u2028\\u00ad\\ufeff'],
    ['\ue000\u0378', '\\ue000\\u0378'],
    ['\u{e0001}\u{10ffff}', '\\U000e0001\\U0010ffff'],
    ['\ufffd', '\ufffd'],
    // Assigned in Unicode 15.0, and later.
    ['\u{1fae8}\u{1fae9}', '\u{1fae8}\\U0001fae9'],
    ['bad\udcff\udc80', 'bad\\xff\\x80'],
  ])('writes %j as %s', (name, quoted) => {
    expect(goQuote(name)).toBe(quoted);
    expect(goUnquote(quoted)).toBe(name);
  });

  it('loses no byte of any name', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
        expect(Buffer.compare(encodeName(goUnquote(goQuote(decodeName(bytes)))), bytes)).toBe(0);
      }),
      { numRuns: 2000 },
    );
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (name) => goUnquote(goQuote(name)) === name));
  });

  it('writes only what is printable', () => {
    fc.assert(
      fc.property(fc.oneof(anyName, fc.string({ unit: 'binary' })), (name) =>
        Array.from(goQuote(name)).every((char) => isPrintable(char.codePointAt(0) ?? 0)),
      ),
    );
  });
});

describe('unquoting', () => {
  it('takes every escape that strconv.Unquote takes', () => {
    expect(goUnquote('\\101\\x42\\u0043\\U00000044\\u00E9')).toBe('ABCDé');
    expect(goUnquote('\\xc3\\xa9\\303\\251')).toBe('éé');
    expect(goUnquote('\\xf0\\x9f\\x98\\x80')).toBe('😀');
    expect(goUnquote('é\\xc3')).toBe('é\udcc3');
  });

  it.each([
    '\\',
    'a\\',
    '\\q',
    "\\'",
    '\\x4',
    '\\xg0',
    '\\U1234',
    '\\U00110000',
    '\\ud800',
    '\\400',
    '\\8',
    '"',
    'a\nb',
    '\\X41',
  ])('refuses %j', (quoted) => expect(() => goUnquote(quoted)).toThrow(RangeError));
});

describe('a JSON string', () => {
  it.each([
    ['plain', '"plain"'],
    ['<a>&"\\', '"\\u003ca\\u003e\\u0026\\"\\\\"'],
    ['\u2028\u2029', '"\\u2028\\u2029"'],
    ['\n\r\t\b\f\v\x00\x7f', '"\\n\\r\\t\\b\\f\\u000b\\u0000\x7f"'],
    ['ñ😀', '"ñ😀"'],
    ['\udcff\udcfe!\ufffd', '"\\ufffd\\ufffd!\ufffd"'],
    ['\ud83d', '"\\ufffd"'],
  ])('of %j is %s', (text, json) => {
    expect(goJsonString(text)).toBe(json);
  });

  it('is read by any JSON parser', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => JSON.parse(goJsonString(text)) === text));
    fc.assert(fc.property(anyName, (name) => JSON.parse(goJsonString(name)) === name.toWellFormed()));
  });
});

describe('the table of printable characters', () => {
  it('calls printable what the engine does, but for what was assigned after Unicode 15.0', () => {
    const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
    let newer = 0;
    for (let code = 0; code <= 0x10ffff; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue;
      const isNow = printable.test(String.fromCodePoint(code));
      if (isPrintable(code)) expect(isNow, `U+${code.toString(16)}`).toBe(true);
      else if (isNow) newer++;
    }
    // Unicode 15.1 to 17.0 added 10,616 of them: more would mean that the table has holes.
    expect(newer).toBeLessThanOrEqual(process.versions['unicode'] === '17.0' ? 10_616 : Infinity);
  });
});
