/**
 * Repositories through thick and thin: what a model in memory says is in them is in them, after every step.
 * A failing run prints its seed and the shortest steps that fail; `RESPALDO_MODEL_SEED` starts with a seed again, and
 * `RESPALDO_MODEL_STEPS` takes more steps (see `npm run soak`).
 */
import fc from 'fast-check';
import { describe, it } from 'vitest';
import type { Files } from '../fixtures/repository.ts';
import { noise } from '../fixtures/repository.ts';
import { mishap } from './mishap.ts';
import { type Deed, type Operation, type Side, World } from './world.ts';

const STEPS = Number(process.env.RESPALDO_MODEL_STEPS ?? 2000);
const SEED = process.env.RESPALDO_MODEL_SEED;
/** Milliseconds: many times what is usual. */
const LIMIT = 60_000 + STEPS * 150;
/** Steps in the life of one pair of repositories. */
const LIFE = 30;

const side = fc.constantFrom<Side>(0, 1);
const version = fc.constantFrom<1 | 2>(1, 2);

/** Few contents and few names, so that snapshots share much and differ in little. */
const content = fc.nat(15).map((n) => (n < 10 ? `content ${n} `.repeat(n * 30) : noise(n, n * 1500)));
const name = fc.constantFrom('/a', '/b', '/sub/c', '/sub/d', '/sub/deep/e', '/other/f');
const files: fc.Arbitrary<Files> = fc
  .uniqueArray(fc.tuple(name, content), { minLength: 1, maxLength: 6, selector: ([name]) => name })
  .map((pairs) => Object.fromEntries(pairs));
const picks = fc.array(fc.nat(50), { minLength: 1, maxLength: 4 });

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('save' as const), at: side, files, wholly: fc.constant(false) }),
  },
  // By the whole archiver with its threads: slow.
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('save' as const), at: side, files, wholly: fc.constant(true) }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('forget' as const), at: side, picks }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('tag' as const), at: side, picks }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('prune' as const),
      at: side,
      maxUnused: fc.constantFrom(0, 0.05, 0.5, Infinity),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('rewrite' as const), at: side, picks, forget: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('salvage' as const), at: side, picks }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('copy' as const), at: side }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('check' as const), at: side, readData: fc.constantFrom(false, true) }),
  },
);

const deed: fc.Arbitrary<Deed> = fc.record({ operation, mishap });
const repair = fc.record({ kind: fc.constant('repair' as const), at: side, picks, readAllPacks: fc.boolean() });
/** One process, or two at once; but what others would say of a repository without its index is no surprise. */
const step: fc.Arbitrary<Deed[]> = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(deed) },
  { weight: 3, arbitrary: fc.tuple(deed, deed) },
  { weight: 1, arbitrary: fc.tuple(fc.record({ operation: repair, mishap })) },
);

describe('Repositories', () => {
  it(
    'keep what they should through kills, failures and others at work, and nothing else after a prune',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.tuple(version, version),
          fc.array(step, { minLength: 1, maxLength: LIFE, size: 'max' }),
          async (versions, steps) => {
            const world = new World(versions);
            for (const deeds of steps) await world.step(deeds);
            await world.end();
          },
        ),
        {
          numRuns: Math.ceil(STEPS / LIFE),
          // Also ends the search for the shortest steps that fail.
          interruptAfterTimeLimit: LIMIT,
          markInterruptAsFailure: true,
          ...(SEED === undefined ? {} : { seed: Number(SEED) }),
        },
      );
    },
    LIMIT + 60_000,
  );
});
