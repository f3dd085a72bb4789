/**
 * The same with real processes on a real disk: one or two at a time, some killed with SIGKILL in the midst of their
 * changes. Nobody unlocks anything. Seed and steps as in `model.test.ts`.
 */
import fc from 'fast-check';
import { watch } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Snapshot } from '../../src/domain/snapshot.ts';
import { openRepository } from '../../src/repository/index.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { LocalStore } from '../../src/stores/local/local.ts';
import { type Ended, Workplace } from '../fixtures/cli.ts';
import { asRead, type Files, findings, NEVER, noise, readFiles } from '../fixtures/repository.ts';
import { Restic, RESTICS } from '../fixtures/restic.ts';

const STEPS = Math.ceil(Number(process.env.RESPALDO_MODEL_STEPS ?? 2000) / 100);
const SEED = Number(process.env.RESPALDO_MODEL_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** So many steps between two looks of restic. */
const RESTIC_EVERY = 10;
/** Exit code where another holds a lock. */
const LOCKED = 11;

type Side = 'repository' | 'second';

interface Run {
  readonly verb: 'backup' | 'forget' | 'prune' | 'copy' | 'tag' | 'check';
  readonly at: Side;
  readonly pick: number;
  /** Killed at the nth change in the repository's folder. */
  readonly killedAt: number | undefined;
}

interface Step {
  readonly files: Files;
  readonly runs: readonly Run[];
}

const content = fc.nat(20).map((n) => (n < 10 ? `content ${n} `.repeat(n * 100) : noise(n, n * 40_000)));
const files = fc
  .uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'sub/c', 'sub/deep/d', 'other/e'), content), {
    minLength: 1,
    maxLength: 4,
    selector: ([path]) => path,
  })
  .map((pairs): Files => Object.fromEntries(pairs));
const run: fc.Arbitrary<Run> = fc.record({
  verb: fc.constantFrom('backup', 'backup', 'backup', 'forget', 'prune', 'prune', 'copy', 'tag', 'check'),
  at: fc.constantFrom('repository', 'repository', 'second'),
  pick: fc.nat(100),
  killedAt: fc.option(fc.integer({ min: 1, max: 25 }), { freq: 2 }),
});
const step: fc.Arbitrary<Step> = fc.record({ files, runs: fc.array(run, { minLength: 1, maxLength: 2 }) });

/** By the tag of its backup: what a snapshot holds, and whether it is certain that it is there. */
type Expected = Map<string, { readonly files: Record<string, string>; readonly presence: 'yes' | 'maybe' | 'no' }>;

class Life {
  readonly #place: Workplace;
  readonly #expected: Record<Side, Expected> = { repository: new Map(), second: new Map() };
  readonly #files: Record<string, string | Uint8Array> = {};
  #backups = 0;

  constructor(place: Workplace) {
    this.#place = place;
  }

  async step({ files, runs }: Step): Promise<void> {
    await this.#change(files);
    const started = [];
    for (const run of runs) started.push(await this.#start(run));
    const ended = await Promise.all(started.map(({ ended }) => ended));
    for (const [i, { code, stderr }] of ended.entries()) {
      const killed = runs[i]?.killedAt !== undefined && code === null;
      const hindered = code === LOCKED || stderr.includes('there is no snapshot');
      const fair = killed || code === 0 || (runs.length > 1 && hindered);
      expect(fair, `${runs[i]?.verb ?? ''} ended with ${String(code)}:\n${stderr}`).toBe(true);
      if (code === 0) started[i]?.done(runs.length === 1);
    }
    for (const side of ['repository', 'second'] as const) await this.#settle(side);
  }

  async #change(files: Files): Promise<void> {
    for (const [path, content] of Object.entries(files)) {
      const target = this.#place.path(`data/${path}`);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, content);
      this.#files[`/data/${path}`] = content;
    }
  }

  async #start(run: Run): Promise<{ ended: Promise<Ended>; done: (alone: boolean) => void }> {
    const { argv, done } = await this.#plan(run);
    const env = { RESPALDO_REPOSITORY: this.#place.path(run.at) };
    const { child, ended } = this.#place.start(argv, env);
    let changes = 0;
    const watcher = watch(this.#place.path(run.at), { recursive: true }, () => {
      if (++changes === run.killedAt) child.kill('SIGKILL');
    });
    return { ended: ended.finally(() => watcher.close()), done };
  }

  async #plan({ verb, at, pick }: Run): Promise<{ argv: string[]; done: (alone: boolean) => void }> {
    const expected = this.#expected[at];
    const nothing = () => undefined;
    const snapshots = await this.#with(at, (repository) => repository.snapshots({}, NEVER));
    const snapshot = snapshots[pick % Math.max(1, snapshots.length)];
    if (verb === 'backup') {
      const label = `backup-${++this.#backups}`;
      const files = asRead(this.#files);
      expected.set(label, { files, presence: 'maybe' });
      return { argv: ['backup', '--tag', label, 'data'], done: () => expected.set(label, { files, presence: 'yes' }) };
    }
    if (verb === 'forget' && snapshot !== undefined) {
      const [label, known] = this.#known(at, snapshot);
      expected.set(label, { ...known, presence: 'maybe' });
      // A killed change of tags leaves both snapshots: the one before it, and the one in its place.
      const isOnlyOne = snapshots.filter((other) => this.#known(at, other)[0] === label).length === 1;
      const done = (alone: boolean) => alone && isOnlyOne && expected.set(label, { ...known, presence: 'no' });
      return { argv: ['forget', snapshot.id], done };
    }
    if (verb === 'tag' && snapshot !== undefined)
      return { argv: ['tag', '--add', `t${pick}`, snapshot.id], done: nothing };
    if (verb === 'copy') return { argv: this.#copy(at), done: nothing };
    return { argv: verb === 'check' ? ['check'] : ['prune', '--max-unused', '0'], done: nothing };
  }

  #copy(to: Side): string[] {
    const from = to === 'second' ? 'repository' : 'second';
    for (const [label, { files, presence }] of this.#expected[from])
      if (presence !== 'no' && this.#expected[to].get(label)?.presence !== 'yes')
        this.#expected[to].set(label, { files, presence: 'maybe' });
    return ['copy', '--from-repo', this.#place.path(from), '--from-password-file', this.#place.path('password')];
  }

  #known(at: Side, { tags = [] }: Snapshot) {
    const label = tags.find((tag) => tag.startsWith('backup-')) ?? '';
    const known = this.#expected[at].get(label);
    if (known === undefined) throw new Error(`nobody made a snapshot with the tags ${tags.join(', ')}`);
    return [label, known] as const;
  }

  async #settle(at: Side): Promise<void> {
    const expected = this.#expected[at];
    await this.#with(at, async (repository) => {
      const found = new Set<string>();
      for (const snapshot of await repository.snapshots({}, NEVER)) {
        const [label, { files, presence }] = this.#known(at, snapshot);
        expect(presence, `whether ${label} is there`).not.toBe('no');
        const read = await readFiles(repository, snapshot);
        const prefix = this.#place.folder;
        const short = Object.entries(read).map(([path, content]) => [path.replace(prefix, ''), content]);
        expect(Object.fromEntries(short)).toEqual(files);
        found.add(label);
      }
      for (const [label, { files, presence }] of expected) {
        if (presence === 'yes') expect(found.has(label), `${label} is lost`).toBe(true);
        expected.set(label, { files, presence: found.has(label) ? 'yes' : 'no' });
      }
      const told = await findings(repository, true);
      expect(told.filter(({ code }) => code !== 'pack-unreferenced')).toEqual([]);
    });
  }

  async #with<T>(at: Side, work: (repository: Repository) => Promise<T>): Promise<T> {
    const store = new LocalStore(this.#place.path(at));
    const repository = await openRepository(store, this.#place.env.RESPALDO_PASSWORD ?? '', {}, NEVER);
    try {
      return await work(repository);
    } finally {
      await repository.close();
    }
  }
}

describe('Processes', () => {
  it(
    'leave what they should behind, killed or not, alone or not, and restic finds it sound',
    async () => {
      await using place = await Workplace.make();
      await place.makeRepository();
      await place.makeRepository('second');
      await writeFile(place.path('password'), place.env.RESPALDO_PASSWORD ?? '');
      const life = new Life(place);
      const steps = fc.sample(step, { seed: SEED, numRuns: STEPS });
      const binary = RESTICS.at(-1);
      for (const [n, step] of steps.entries()) {
        try {
          await life.step(step);
          if (binary === undefined || (n + 1) % RESTIC_EVERY !== 0) continue;
          const restic = new Restic(binary, place.path('repository'), place.env.RESPALDO_PASSWORD ?? '');
          await restic.run('check', '--read-data', '--no-lock');
        } catch (error) {
          const runs = JSON.stringify(steps.slice(0, n + 1).map(({ runs }) => runs));
          throw new Error(`seed ${SEED}, step ${n}: ${runs}`, { cause: error });
        }
      }
      await rm(place.path('data'), { recursive: true, force: true });
    },
    300_000 + STEPS * 30_000,
  );
});
