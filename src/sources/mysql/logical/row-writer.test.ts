import { Readable } from 'node:stream';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { dumpParts, type DumpContent } from './dump-text.ts';
import { formOf, RowWriter } from './row-writer.ts';

const NUMBER = { type: 3, charset: 63 };
const TEXT = { type: 253, charset: 45 };
const BYTES = { type: 252, charset: 63 };

it.each([
  ['a decimal', { type: 246, charset: 63 }, 'bare'],
  ['a date', { type: 10, charset: 63 }, 'text'],
  ['bits', { type: 16, charset: 63 }, 'hex'],
  ['a BLOB', BYTES, 'hex'],
  ['a geometry', { type: 255, charset: 63 }, 'hex'],
  ['JSON', { type: 245, charset: 63 }, 'text'],
  ['text', TEXT, 'text'],
])('%s is written as what it is', (_what, column, form) => {
  expect(formOf(column)).toBe(form);
});

it('values are written so that they mean the same when they are read', () => {
  const { text, rows } = written(
    [NUMBER, TEXT, BYTES],
    [
      [Buffer.from('-12'), Buffer.from('it\'s "x"\n\r\0\x1a\\ ñ😀'), Buffer.from([0, 0xff, 0x27])],
      [null, Buffer.from(''), Buffer.from('')],
    ],
  );
  expect(rows).toBe(2);
  expect(text).toBe(`INSERT INTO \`t\` VALUES\n(-12,'it\\'s \\"x\\"\\n\\r\\0\\Z\\\\ ñ😀',0x00FF27),\n(NULL,'','');\n`);
});

it('no row is lost and no value ends a statement, whatever the rows are and however long', async () => {
  const value = fc.option(
    fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.constantFrom(Buffer.alloc(70_000, "');\n"), Buffer.alloc(800_000, 'x')),
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(value, value), { maxLength: 12 }), async (rows) => {
      const { text, rows: count } = written([TEXT, BYTES], rows);
      expect(count).toBe(rows.length);
      const content: DumpContent = { rows: new Map(), position: {} };
      const dump = `USE \`d\`;\nDROP TABLE IF EXISTS \`t\`;\n${text}-- Dump completed\n`;
      for await (const _part of dumpParts(Readable.from([Buffer.from(dump)]), content, 'it')) continue;
      expect(content.rows.get('d')?.get('t') ?? 0).toBe(rows.length);
    }),
    { numRuns: 30 },
  );
});

it.each([
  ['ends before its last value', [1, 0x61]],
  ['ends within a value', [1, 0x61, 9, 0x62]],
  ['goes on after its last value', [1, 0x61, 1, 0x62, 1, 0x63]],
])('a row that %s is refused', (_what, bytes) => {
  const writer = new RowWriter('INSERT INTO `t` VALUES', () => true);
  writer.begin([TEXT, TEXT]);
  expect(() => writer.row(Buffer.from(bytes), 0, bytes.length)).toThrow('do not fill it');
});

function written(columns: Parameters<RowWriter['begin']>[0], rows: readonly (readonly (Uint8Array | null)[])[]) {
  const pieces: Uint8Array[] = [];
  const writer = new RowWriter('INSERT INTO `t` VALUES', (piece) => pieces.push(piece) > 0);
  writer.begin(columns);
  for (const row of rows) {
    const bytes = Buffer.concat(row.flatMap((one) => (one === null ? [Buffer.from([0xfb])] : [lengthOf(one), one])));
    writer.row(bytes, 0, bytes.length);
  }
  writer.end();
  return { text: Buffer.concat(pieces).toString('utf8'), rows: writer.count };
}

function lengthOf({ length }: Uint8Array): Buffer {
  if (length < 0xfb) return Buffer.from([length]);
  const bytes = Buffer.alloc(length < 0x1_00_00 ? 3 : 4);
  bytes[0] = length < 0x1_00_00 ? 0xfc : 0xfd;
  bytes.writeUIntLE(length, 1, bytes.length - 1);
  return bytes;
}
