import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DirectFile, UNIT } from './direct-file.ts';
import { Rooms } from './rooms.ts';

const content = randomBytes(12 * UNIT + 777);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'respaldo-direct-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Where to cut the content: near the borders of units, and anywhere. */
const cuts = fc.uniqueArray(
  fc.oneof(
    fc.integer({ min: 1, max: content.length - 1 }),
    fc.tuple(fc.integer({ min: 1, max: 11 }), fc.constantFrom(-1, 0, 1)).map(([unit, by]) => unit * UNIT + by),
  ),
  { maxLength: 12 },
);

interface Piece {
  readonly from: number;
  readonly to: number;
}

function piecesOf(cut: readonly number[]): Piece[] {
  const borders = [0, ...cut.toSorted((a, b) => a - b), content.length];
  return borders.slice(1).map((to, i) => ({ from: borders[i] ?? 0, to }));
}

describe('a file of large pieces', () => {
  it('holds every byte, wherever the pieces begin and in whatever order they come', async () => {
    let files = 0;
    await fc.assert(
      fc.asyncProperty(
        cuts.chain((cut) => {
          const pieces = piecesOf(cut);
          return fc.oneof(fc.constant(pieces), fc.shuffledSubarray(pieces, { minLength: pieces.length }));
        }),
        async (pieces) => {
          const path = join(folder, String(files++));
          writeFileSync(path, '');
          const rooms = new Rooms();
          const file = new DirectFile(path);
          for (const { from, to } of pieces) {
            const room = await rooms.take(to - from);
            room.set(content.subarray(from, to), from % UNIT);
            void file.write(room, to - from, from).then(() => {
              // Whoever has it next writes something else there.
              room.fill(0xee);
              rooms.give(room);
            });
          }
          await finish(file, path);
          expect(Buffer.compare(readFileSync(path), content)).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('tells at its end what could not be written', async () => {
    const path = join(folder, 'link');
    const elsewhere = join(folder, 'elsewhere');
    writeFileSync(elsewhere, 'kept');
    symlinkSync(elsewhere, path);
    const file = new DirectFile(path);
    const room = await new Rooms().take(UNIT);
    await file.write(room, UNIT, 0);
    await expect(finish(file, elsewhere)).rejects.toMatchObject({ code: 'ELOOP' });
    expect(readFileSync(elsewhere, 'utf8')).toBe('kept');
  });

  it('is written all the same from memory that does not begin with a page', async () => {
    const path = join(folder, 'anywhere');
    writeFileSync(path, '');
    const file = new DirectFile(path);
    const room = (await new Rooms().take(2 * UNIT)).subarray(1);
    room.set(content.subarray(0, 2 * UNIT));
    await file.write(room, 2 * UNIT, 0);
    await finish(file, path);
    expect(Buffer.compare(readFileSync(path), content.subarray(0, 2 * UNIT))).toBe(0);
  });
});

async function finish(file: DirectFile, path: string): Promise<void> {
  const fd = openSync(path, 'r+');
  try {
    await file.finish(fd);
  } finally {
    closeSync(fd);
  }
}
