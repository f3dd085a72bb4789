import { Readable } from 'node:stream';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PacketBuffer } from '../wire/packet-buffer.ts';
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

it('a zero that has a sign keeps it', () => {
  const rows = ['-0', '-0', '0', '-00', '-05'].map((text) => [Buffer.from(text)]);
  const { text } = written([NUMBER], rows);
  expect(text).toBe('INSERT INTO `t` VALUES\n(-0e0),\n(-0e0),\n(0),\n(-00),\n(-05);\n');
  expect(writtenAtOnce([NUMBER], rows).text).toBe(text);
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

it('rows that come many at once are written as those that come alone', () => {
  const value = fc.option(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.string({ unit: 'grapheme', maxLength: 80 }).map((text) => Buffer.from(text)),
      fc.stringMatching(/^[\n"'\\ a-e]{0,70}$/).map((text) => Buffer.from(text)),
      fc.constant(Buffer.alloc(300, '\\')),
    ),
  );
  const long = fc.constantFrom(Buffer.alloc(70_000, "');\n"), Buffer.alloc(400_000, 'x'));
  const many = fc.tuple(fc.integer({ min: 1, max: 100 }), fc.tuple(value, value, value));
  const few = fc.tuple(fc.constant(1), fc.tuple(value, long, value));
  const stretch = fc.oneof({ arbitrary: many, weight: 9 }, { arbitrary: few, weight: 1 });
  fc.assert(
    fc.property(fc.array(stretch, { maxLength: 12 }), (stretches) => {
      const rows = stretches.flatMap(([times, row]) => Array.from({ length: times }, () => row));
      expect(writtenAtOnce([TEXT, BYTES, NUMBER], rows)).toEqual(written([TEXT, BYTES, NUMBER], rows));
    }),
    { numRuns: 50 },
  );
});

it.each([
  ['ends before its last value', [1, 0x61]],
  ['ends within a value', [1, 0x61, 9, 0x62]],
  ['goes on after its last value', [1, 0x61, 1, 0x62, 1, 0x63]],
  ['is an error', [0xff, 1, 0]],
  ['is the end', [0xfe, 0, 0, 0, 0]],
])('what %s is not taken as one of many rows', (_what, bytes) => {
  const writer = new RowWriter('INSERT INTO `t` VALUES', () => true);
  writer.begin([TEXT, TEXT]);
  const good = packet(Buffer.from([1, 0x61, 1, 0x62]));
  writer.row(good, 4, good.length);
  const all = Buffer.concat([good, good, packet(Buffer.from(bytes)), good]);
  expect(writer.rows(all, 0, all.length)).toEqual({ next: 2 * good.length, goOn: true });
  expect(writer.count).toBe(3);
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

type Columns = Parameters<RowWriter['begin']>[0];
type Rows = readonly (readonly (Uint8Array | null)[])[];

function written(columns: Columns, rows: Rows) {
  return textOf(columns, (writer) => {
    for (const bytes of rows.map(rowOf)) writer.row(bytes, 0, bytes.length);
  });
}

/** As a connection does it, with whatever has come. */
function writtenAtOnce(columns: Columns, rows: Rows) {
  return textOf(columns, (writer) => {
    const buffer = new PacketBuffer();
    const all = Buffer.concat(rows.map((row) => packet(rowOf(row))));
    for (let at = 0; at < all.length;) {
      const length = all.copy(buffer.space(), 0, at);
      at += length;
      buffer.filled(
        length,
        (bytes, from, to) => writer.row(bytes, from, to),
        (bytes, from, to) => writer.rows(bytes, from, to).next,
      );
    }
  });
}

function textOf(columns: Columns, write: (writer: RowWriter) => void) {
  const pieces: Uint8Array[] = [];
  const writer = new RowWriter('INSERT INTO `t` VALUES', (piece) => pieces.push(piece) > 0);
  writer.begin(columns);
  write(writer);
  writer.end();
  return { text: Buffer.concat(pieces).toString('utf8'), rows: writer.count };
}

function rowOf(row: Rows[number]): Buffer {
  return Buffer.concat(row.flatMap((one) => (one === null ? [Buffer.from([0xfb])] : [lengthOf(one), one])));
}

function packet(payload: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUIntLE(payload.length, 0, 3);
  return Buffer.concat([head, payload]);
}

function lengthOf({ length }: Uint8Array): Buffer {
  if (length < 0xfb) return Buffer.from([length]);
  const bytes = Buffer.alloc(length < 0x1_00_00 ? 3 : 4);
  bytes[0] = length < 0x1_00_00 ? 0xfc : 0xfd;
  bytes.writeUIntLE(length, 1, bytes.length - 1);
  return bytes;
}
