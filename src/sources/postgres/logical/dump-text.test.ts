import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dumpText, type DumpContent } from './dump-text.ts';

const END = '--\n-- PostgreSQL database dump complete\n--\n';

/** The text as it comes out, fed `size` bytes at a time, and what was learned. */
async function passed(dump: string, { isData = true, guard = 'KEY', size = 1 << 20 } = {}) {
  const content: DumpContent = { rows: new Map(), sequences: [], bytes: 0 };
  const bytes = Buffer.from(dump);
  const pieces = async function* () {
    for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
  };
  const out = await Array.fromAsync(dumpText(pieces(), content, 'the dump', { isData, guard }), (piece) =>
    Buffer.from(piece),
  );
  return { text: Buffer.concat(out).toString(), ...content };
}

const DUMP = `--
\\restrict KEY
BEGIN;
SELECT pg_catalog.lo_open('1', 131072);
COMMIT;
COPY public.a (x, y) FROM stdin;
BEGIN;
COMMIT;
\\restrict KEY
\\.x
\\.
COPY public."b ""c
; (d" ("e
f" ) FROM stdin;
\\N
\\.
COPY public.none  FROM stdin;
\\.
SELECT pg_catalog.setval('public."it''s"', 9007199254740993, true);
SELECT pg_catalog.setval('public.s', 1, false);
\\unrestrict KEY
${END}`;

describe('the text of a dump', () => {
  it('loses the words that are new in every dump, and the transactions of large objects, outside of rows alone', async () => {
    const { text } = await passed(DUMP);
    expect(text).toBe(
      DUMP.replace('\\restrict KEY\nBEGIN;\n', '').replace('COMMIT;\nCOPY', 'COPY').replace('\\unrestrict KEY\n', ''),
    );
  });

  it('tells the rows of each table and the values of sequences', async () => {
    const { rows, sequences, bytes, text } = await passed(DUMP);
    expect(Object.fromEntries(rows)).toEqual({ 'public.a': 4, 'public."b ""c\n; (d"': 1, 'public.none': 0 });
    expect(sequences).toEqual([
      { name: 'public."it\'s"', value: '9007199254740993', called: true },
      { name: 'public.s', value: '1', called: false },
    ]);
    expect(bytes).toBe(Buffer.byteLength(text));
  });

  it('is the same however its bytes arrive', async () => {
    const whole = await passed(DUMP);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 80 }), async (size) => {
        expect(await passed(DUMP, { size })).toEqual(whole);
      }),
    );
  });

  it('adds up what is loaded into a table in several pieces', async () => {
    const part = 'COPY a (x) FROM stdin;\n1\n\\.\n';
    expect((await passed(part + part + END)).rows.get('a')).toBe(2);
  });

  it('keeps transactions where functions may hold such lines', async () => {
    expect((await passed(`BEGIN;\n${END}`, { isData: false })).text).toBe(`BEGIN;\n${END}`);
  });

  it.each([
    ['nothing', ''],
    ['a dump without its end', 'SELECT 1;\n'],
    ['rows without their end', `COPY a (x) FROM stdin;\n1\n${END}`],
    ['an end that is a row', `COPY a (x) FROM stdin;\n-- PostgreSQL database dump complete\n\\.\n`],
  ])('is refused at its end if it is %s', async (_what, dump) => {
    await expect(passed(dump)).rejects.toMatchObject({ code: 'source-lost' });
  });
});
