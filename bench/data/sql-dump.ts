/** A dump as pg_dump writes it: tables of orders, as text. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { Random } from './random.ts';
import { phrase, word } from './words.ts';

const BYTES = 4_000_000_000;
const ROWS_A_TABLE = 40_000;
/** Text is collected up to so many characters, then written. */
const PIECE = 4_000_000;

export function writeSqlDump(path: string, scale: number): void {
  const size = Math.ceil(BYTES * scale);
  const fd = openSync(path, 'wx');
  let written = 0;
  for (const piece of pieces()) {
    const bytes = Buffer.from(piece, 'latin1').subarray(0, size - written);
    writeSync(fd, bytes);
    written += bytes.length;
    if (written >= size) break;
  }
  closeSync(fd);
}

function* pieces(): Generator<string, never, undefined> {
  const random = new Random('sql');
  let text = "--\n-- PostgreSQL database dump\n--\n\nSET statement_timeout = 0;\nSET client_encoding = 'UTF8';\n";
  for (let table = 0; ; table++) {
    text += `\nCOPY public.orders_${table} (id, uid, customer, state, amount, created, email, note, meta) FROM stdin;\n`;
    for (let n = 0; n < ROWS_A_TABLE; n++) {
      text += row(random, table * ROWS_A_TABLE + n);
      if (text.length < PIECE) continue;
      yield text;
      text = '';
    }
    text += '\\.\n';
  }
}

function row(random: Random, id: number): string {
  const uid = random.noise(16).toString('hex');
  const state = random.pick(['active', 'pending', 'cancelled', 'shipped', 'returned']);
  const created = new Date(1_600_000_000_000 + id * 31_000 + random.below(30_000)).toISOString();
  const email = `${word(random)}.${word(random)}${random.below(1000)}@example.com`;
  const note = random.below(3) === 0 ? '\\N' : phrase(random, 6 + random.below(18));
  const meta = `{"ip": "10.${random.below(256)}.${random.below(256)}.7", "score": ${random.below(10_000)}}`;
  const amount = (random.below(1_000_000) / 100).toFixed(2);
  return `${id}\t${uid}\t${random.below(250_000)}\t${state}\t${amount}\t${created}\t${email}\t${note}\t${meta}\n`;
}
