import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { Snapshot } from '../../src/domain/snapshot.ts';
import { backup, type BackupOutcome } from '../../src/operations/backup.ts';
import { planRestore, restore } from '../../src/operations/restore.ts';
import { SOURCE_KINDS } from '../../src/sources/index.ts';
import type { Source } from '../../src/sources/source.ts';
import { BACKUP_REQUEST, bench, type Bench } from '../fixtures/bench.ts';

/** Something real that can be backed up, and the ways to look at it. */
export interface SourceFixture extends AsyncDisposable {
  readonly address: string;
  readonly source: Source;
  /** What it holds now, as data that can be compared. */
  state(): Promise<unknown>;
  /** What was restored into the folder holds, seen as its users see it: a database by a server that runs on it. */
  restoredState(folder: string): Promise<unknown>;
  /** Makes a small change. */
  change(): Promise<void>;
  /** What a backup holds of it while it runs, and must give back: locks, slots. */
  held(): Promise<unknown>;
}

/** What every kind of source must do, whatever it protects. */
export function describeSource(name: string, make: () => Promise<SourceFixture>): void {
  describe(`${name} as a source`, () => {
    let fixture: SourceFixture;
    let place: Bench;

    beforeAll(async () => {
      fixture = await make();
    });

    beforeEach(async () => {
      place = await bench();
    });

    afterEach(() => place[Symbol.asyncDispose]());

    afterAll(() => fixture[Symbol.asyncDispose]());

    it('is meant by its address alone', () => {
      const kinds = SOURCE_KINDS.filter((kind) => kind.accepts(fixture.address));
      expect(kinds.map((kind) => kind.name)).toEqual([fixture.source.kind]);
    });

    it('has absolute paths that identify it', () => {
      expect(fixture.source.paths).not.toEqual([]);
      for (const one of fixture.source.paths) expect(path.normalize(one)).toBe(path.resolve('/', one));
    });

    it('is found ready, and left as it was', async () => {
      const before = { state: await fixture.state(), held: await fixture.held() };
      const io = { runtime: place.runtime, signal: place.signal, report: () => undefined, expect: () => undefined };
      expect(await fixture.source.check(io)).toEqual([]);
      expect({ state: await fixture.state(), held: await fixture.held() }).toEqual(before);
    });

    it('comes back as it was at each of its snapshots, of which the second stores little', async () => {
      const first = { outcome: await take(), state: await fixture.state() };
      await fixture.change();
      const second = { outcome: await take(), state: await fixture.state() };
      expect(second.state).not.toEqual(first.state);
      expect(second.outcome.decision.parent?.id).toBe(first.outcome.snapshot?.id);
      expect(second.outcome.summary.dataAdded).toBeLessThan(first.outcome.summary.dataAdded / 5);
      for (const { outcome, state } of [second, first])
        expect(await fixture.restoredState(await bringBack(outcome.snapshot))).toEqual(state);
      expect(await Array.fromAsync(place.repository.check({ readData: true }, place.signal))).toEqual([]);
    });

    it('leaves no snapshot, and gives back what it held, when a backup is aborted', async () => {
      const held = await fixture.held();
      const abort = new AbortController();
      const aborted = take(abort.signal, () => {
        abort.abort();
      });
      await expect(aborted).rejects.toSatisfy(
        (error: Error) => error.name === 'AbortError' || ('code' in error && error.code === 'cancelled'),
      );
      expect(await place.repository.snapshots({}, place.signal)).toEqual([]);
      await expect.poll(() => fixture.held()).toEqual(held);
    });

    function take(signal = place.signal, onProgress: () => void = () => undefined): Promise<BackupOutcome> {
      const { repository, runtime, journal } = place;
      const ports = { repository, runtime, journal, clock: systemClock, onProgress };
      return backup({ ...BACKUP_REQUEST, source: fixture.source }, ports, signal);
    }

    async function bringBack(snapshot: Snapshot | undefined): Promise<string> {
      if (snapshot === undefined) throw new Error('there is no snapshot');
      const target = path.join(place.folder, `restored-${snapshot.id}`);
      const ports = { repository: place.repository, runtime: place.runtime, kinds: SOURCE_KINDS };
      const request = { snapshot, target, include: [], exclude: [], dryRun: false };
      const { state } = await restore(await planRestore(request, ports, place.signal), ports, place.signal);
      expect(state).toBe('succeeded');
      expect(await readdir(target)).not.toEqual([]);
      return target;
    }
  });
}
