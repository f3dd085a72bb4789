import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Located } from '../storage/blob-index.ts';
import { type FileJob, plainLength } from './file-job.ts';
import { metadataOf } from './metadata.ts';
import { decodeOrders, encodeOrders } from './orders.ts';
import { ordersOf, planTasks } from './plan.ts';
import { readRuns } from './runs.ts';

const MIB = 1024 * 1024;
const id = (n: number): string => n.toString(16).padStart(64, '0');

/** Forty blobs in four packs, some compressed, one of them large. */
const STORED: readonly Located[] = Array.from({ length: 40 }, (_, n) => {
  const length = n % 7 === 0 ? 3 * MIB : 1000 + n;
  return {
    id: id(n),
    type: 'data',
    pack: id(1000 + (n % 4)),
    offset: Math.floor(n / 4) * 4 * MIB,
    length,
    uncompressedLength: n % 2 === 0 ? 0 : length * 3,
  };
});

function job(blobs: readonly number[], path = '/target/file'): FileJob {
  const located = blobs.map((n) => STORED[n % STORED.length] as Located);
  return {
    location: '/file',
    path,
    writeTo: path,
    metadata: metadataOf({ name: 'f', type: 'file', mode: 0o644, uid: 1, gid: 2, size: 0 }),
    blobs: located,
    size: located.reduce((sum, blob) => sum + plainLength(blob), 0),
    links: 1,
    existing: 'none',
    present: undefined,
    whole: false,
    made: false,
    pending: 0,
    damaged: new Map(),
    written: 0,
    refusal: undefined,
  };
}

const jobs = fc
  .array(fc.array(fc.nat(39), { maxLength: 12 }), { maxLength: 12 })
  .map((files) => files.map((blobs) => job(blobs)));

describe('a plan', () => {
  it('writes every blob of every file exactly once to its place', () => {
    fc.assert(
      fc.property(jobs, (files) => {
        const written = new Map(files.map((file) => [file, new Map<number, string>()]));
        for (const task of planTasks(files)) {
          for (const { blob, targets } of task.blobs) {
            for (const [file, at] of targets) {
              const places = written.get(task.jobs[file] as FileJob);
              expect(places?.has(at)).toBe(false);
              places?.set(at, blob.id);
            }
          }
        }
        for (const [file, places] of written) {
          let at = 0;
          for (const blob of file.blobs) {
            expect(places.get(at)).toBe(blob.id);
            at += plainLength(blob);
          }
          expect(places.size).toBe(file.blobs.length);
        }
      }),
    );
  });

  it('knows of each file how many tasks write to it, and which has all of it', () => {
    fc.assert(
      fc.property(jobs, (files) => {
        const tasks = planTasks(files);
        for (const file of files) {
          const mine = tasks.filter((task) => task.jobs.includes(file));
          expect(file.pending).toBe(mine.length);
          expect(file.whole).toBe(mine.length === 1);
        }
      }),
    );
  });

  it('reads each pack forwards, in parts of some megabytes', () => {
    const tasks = planTasks([job(Array.from({ length: 40 }, (_, n) => n))]);
    expect(tasks.length).toBeGreaterThan(4);
    for (const task of tasks) {
      const offsets = task.blobs.map(({ blob }) => blob.offset);
      expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
      expect(task.blobs.reduce((sum, { blob }) => sum + blob.length, 0)).toBeLessThan(8 * MIB);
    }
  });

  it('leaves out what is present, and makes no whole file of one that exists', () => {
    const file = job([1, 5, 9]);
    file.present = [true, false, true];
    const [task, ...others] = planTasks([file]);
    expect(others).toEqual([]);
    expect(task?.blobs.map(({ blob }) => blob.id)).toEqual([id(5)]);
    expect(file).toMatchObject({ whole: false, pending: 1 });
    file.present = [true, true, true];
    expect(planTasks([file])).toEqual([]);
    expect(file.pending).toBe(0);
  });
});

describe('orders', () => {
  it('reach the worker as they were given', () => {
    const metadata = {
      permissions: 0o4751,
      uid: 4294967295,
      gid: 7,
      atimeNs: -(2n ** 63n),
      mtimeNs: 2n ** 63n - 1n,
      attributes: [{ name: 'user.ñ', value: 'AAEC' }],
    };
    const [blob] = STORED;
    const bytes = encodeOrders({
      files: [
        { path: '/target/añ😀o', pieces: 3, sparse: true },
        { path: '/target/bad\udcff', pieces: 1, sparse: false, whole: { metadata } },
        {
          path: '/t',
          pieces: 0,
          sparse: true,
          whole: { metadata: { ...metadata, attributes: [] }, rename: '/x'.repeat(3000) },
        },
      ],
      blobs: [
        {
          blob: blob as Located,
          targets: [
            [2, 2 ** 40],
            [0, 0],
          ],
        },
      ],
    });
    const { pack: _, ...packed } = blob as Located;
    expect(decodeOrders(bytes)).toEqual({
      files: [
        { path: '/target/añ😀o', pieces: 3, sparse: true },
        { path: Buffer.from('2f7461726765742f626164ff', 'hex'), pieces: 1, sparse: false, whole: { metadata } },
        {
          path: '/t',
          pieces: 0,
          sparse: true,
          whole: { metadata: { ...metadata, attributes: [] }, rename: '/x'.repeat(3000) },
        },
      ],
      blobs: [
        {
          blob: packed,
          targets: [
            [2, 2 ** 40],
            [0, 0],
          ],
        },
      ],
    });
  });

  it('of many files fit, and name the place where a file belongs', () => {
    const files = Array.from({ length: 5000 }, (_, n) => ({
      ...job([n]),
      writeTo: `/target/.beside-${n}`,
      path: `/target/${n}`,
    }));
    const [task] = planTasks(files);
    const decoded = decodeOrders(encodeOrders(ordersOf(task as NonNullable<typeof task>, false)));
    expect(decoded.files.length).toBe(task?.jobs.length);
    expect(decoded.files[0]).toMatchObject({ path: task?.jobs[0]?.writeTo, whole: { rename: task?.jobs[0]?.path } });
  });
});

describe('the stretches that are read', () => {
  it('hold every extent, in order, without long gaps', () => {
    const extents = fc
      .array(fc.tuple(fc.nat(600_000), fc.integer({ min: 32, max: 3 * MIB })), { maxLength: 30 })
      .map((steps) => {
        let offset = 0;
        return steps.map(([gap, length]) => {
          const extent = { offset: offset + gap, length };
          offset += gap + length;
          return extent;
        });
      });
    fc.assert(
      fc.property(extents, (wanted) => {
        const runs = readRuns(wanted);
        for (const { offset, length } of wanted) {
          const holding = runs.filter((run) => run.offset <= offset && offset + length <= run.offset + run.length);
          expect(holding).toHaveLength(1);
        }
        const read = runs.reduce((sum, run) => sum + run.length, 0);
        const useful = wanted.reduce((sum, { length }) => sum + length, 0);
        expect(read - useful).toBeLessThanOrEqual(wanted.length * 128 * 1024);
        for (const run of runs) expect(run.length).toBeLessThan(8 * MIB);
      }),
    );
  });
});
