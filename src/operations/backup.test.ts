import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { bench, type Bench } from '../../test/fixtures/bench.ts';
import { systemClock, type Clock } from '../clock.ts';
import type { Entry, Metadata } from '../domain/entry.ts';
import type { Finding } from '../domain/finding.ts';
import type { Plan } from '../domain/plan.ts';
import { RespaldoError } from '../errors.ts';
import { openDirectories } from '../sources/index.ts';
import type { CaptureOptions, Source, SourceIo } from '../sources/source.ts';
import { backup, backupsOf, type BackupRequest } from './backup.ts';

const selection = { exclude: [], oneFileSystem: false, excludeCaches: false };

function request(source: Source, more: Partial<BackupRequest> = {}): BackupRequest {
  return { source, type: 'auto', tags: [], excludes: [], hostname: 'host', username: 'user', dryRun: false, ...more };
}

/** A folder with two files, as a source. */
async function folderSource({ folder }: Bench): Promise<Source> {
  const data = path.join(folder, 'data');
  await mkdir(data, { recursive: true });
  await writeFile(path.join(data, 'a'), 'a');
  await writeFile(path.join(data, 'b'), 'b');
  return openDirectories(['data'], { workingDirectory: folder, selection, acceptDamagedPages: false });
}

const now = BigInt(Date.UTC(2025, 0, 1)) * 1_000_000n;
const metadata: Metadata = { mode: 0o600, mtimeNs: now, atimeNs: now, ctimeNs: now, uid: 0, gid: 0 };

/** A database that streams one file, and tells what it was asked. */
class Database implements Source {
  readonly kind = 'postgres';
  readonly typed = true;
  readonly paths = ['/postgresql/db:5432'];
  readonly asked: (string | undefined)[] = [];
  origin: CaptureOptions['origin'];
  found: readonly Finding[] = [];
  failure: RespaldoError | undefined;

  async check(): Promise<readonly Finding[]> {
    return [];
  }

  async *capture(io: SourceIo, { type, since, origin }: CaptureOptions): AsyncIterable<Entry> {
    this.asked.push(type, since?.id);
    this.origin = origin;
    io.expect(1000);
    yield { kind: 'directory', path: '/data', metadata: { ...metadata, mode: 0o700 } };
    yield { kind: 'file', path: '/data/1', metadata, content: [new TextEncoder().encode('rows')] };
    for (const finding of this.found) io.report(finding);
    if (this.failure) throw this.failure;
  }
}

describe('a folder', () => {
  it('is stored with what is said of it, and compared with its last snapshot the next time', async () => {
    await using at = await bench();
    const source = await folderSource(at);
    const ports = { ...at, clock: systemClock };
    const first = await backup(request(source, { plan: 'notes', tags: ['x', 'x'] }), ports, at.signal);
    expect(first.state).toBe('succeeded');
    expect(first.decision.type).toBe('full');
    expect(first.snapshot).toMatchObject({ hostname: 'host', username: 'user', tags: ['x', 'plan=notes'] });
    expect(first.snapshot?.paths).toEqual([path.join(at.folder, 'data')]);
    const second = await backup(request(source), ports, at.signal);
    expect(second.decision).toMatchObject({ type: 'incremental', parent: { id: first.snapshot?.id } });
    expect(second.snapshot?.tags ?? []).toEqual([]);
    expect(second.summary).toMatchObject({ filesUnmodified: 2, filesNew: 0 });
  });

  it('is not compared with another host, nor with a snapshot that holds more', async () => {
    await using at = await bench();
    const source = await folderSource(at);
    const both = openDirectories(['data', 'data/a'], {
      workingDirectory: at.folder,
      selection,
      acceptDamagedPages: false,
    });
    const ports = { ...at, clock: systemClock };
    await backup(request(both), ports, at.signal);
    await backup(request(source, { hostname: 'other' }), ports, at.signal);
    expect((await backup(request(source), ports, at.signal)).decision.type).toBe('full');
  });

  it('is read anew by a full, and compared with what is named otherwise', async () => {
    await using at = await bench();
    const source = await folderSource(at);
    const ports = { ...at, clock: systemClock };
    const { snapshot } = await backup(request(source), ports, at.signal);
    await backup(request(source), ports, at.signal);
    const full = await backup(request(source, { type: 'full' }), ports, at.signal);
    expect(full.decision).toEqual({ type: 'full', reason: 'asked for' });
    expect(full.summary.filesUnmodified).toBe(0);
    const named = await backup(request(source, { ...(snapshot && { parent: snapshot }) }), ports, at.signal);
    expect(named.decision.parent?.id).toBe(snapshot?.id);
  });

  it('stores nothing in a dry run', async () => {
    await using at = await bench();
    const outcome = await backup(
      request(await folderSource(at), { dryRun: true }),
      { ...at, clock: systemClock },
      at.signal,
    );
    expect(outcome.snapshot).toBeUndefined();
    expect(outcome.summary.totalFilesProcessed).toBe(2);
    expect(await at.repository.snapshots({}, at.signal)).toEqual([]);
  });

  it('that lacks one of its parts is stored as incomplete', async () => {
    await using at = await bench();
    await folderSource(at);
    const source = openDirectories(['data', 'gone'], {
      workingDirectory: at.folder,
      selection,
      acceptDamagedPages: false,
    });
    const told: Finding[] = [];
    const ports = { ...at, clock: systemClock, onFinding: (finding: Finding) => told.push(finding) };
    const outcome = await backup(request(source), ports, at.signal);
    expect(outcome.state).toBe('incomplete');
    expect(outcome.snapshot?.tags).toContain('incomplete');
    expect(outcome.findings).toHaveLength(1);
    expect(told).toEqual(outcome.findings);
  });
});

describe('a database', () => {
  /** Each backup a day after the last. */
  function daily(): Clock {
    let day = 0;
    return { now: () => new Date(Date.UTC(2025, 0, (day += 1))), monotonic: () => systemClock.monotonic() };
  }

  it('is told why and for whom it is captured', async () => {
    await using at = await bench();
    const source = new Database();
    const asked = { plan: 'shop', tags: ['x', 'name=before_it'], program: 'respaldo 1.2.3' };
    await backup(request(source, asked), { ...at, clock: daily() }, at.signal);
    expect(source.origin).toEqual({
      reason: 'there is no snapshot to compare with yet',
      hostname: 'host',
      plan: 'shop',
      name: 'before_it',
      program: 'respaldo 1.2.3',
    });
  });

  it('begins before the repository is there, and ends what it has begun if that never is', async () => {
    await using at = await bench();
    const source = new Database();
    const told: string[] = [];
    const prepare = (): Promise<AsyncDisposable> => {
      told.push('begun');
      return Promise.resolve({
        [Symbol.asyncDispose]: () => {
          told.push('ended');
          return Promise.resolve();
        },
      });
    };
    const locked = new RespaldoError('repository-locked', 'somebody else works there');
    const nowhere = { ...at, clock: systemClock, repository: Promise.reject(locked) };
    const failing = backup(request(Object.assign(source, { prepare })), nowhere, at.signal);
    await expect(failing).rejects.toBe(locked);
    expect(told).toEqual(['begun', 'ended']);
    expect(source.asked).toEqual([]);
  });

  it('goes from full to incremental and back, each tagged with its type', async () => {
    await using at = await bench();
    const source = new Database();
    const ports = { ...at, clock: daily() };
    const types: (string | undefined)[] = [];
    for (let run = 0; run < 7; run++) {
      const { snapshot, decision } = await backup(request(source), ports, at.signal);
      expect(snapshot?.tags).toEqual([`type=${decision.type}`]);
      types.push(decision.type);
    }
    const incrementals = Array.from({ length: 5 }, () => 'incremental');
    expect(types).toEqual(['full', ...incrementals, 'full']);
    expect(source.asked.slice(0, 2)).toEqual(['full', undefined]);
    expect(source.asked[3]).toMatch(/^[0-9a-f]{64}$/);
  });

  it('that reports something missing is stored as incomplete, and is no base for the next', async () => {
    await using at = await bench();
    const source = new Database();
    source.found = [{ severity: 'incomplete', code: 'page-damaged', message: 'page 3 of /data/1 is damaged' }];
    const ports = { ...at, clock: daily() };
    const damaged = await backup(request(source), ports, at.signal);
    expect(damaged.state).toBe('incomplete');
    expect(damaged.snapshot?.tags).toEqual(['type=full', 'incomplete']);
    source.found = [];
    const next = await backup(request(source), ports, at.signal);
    expect(next.state).toBe('succeeded');
    expect(next.decision.type).toBe('full');
  });

  it('that breaks off leaves no snapshot', async () => {
    await using at = await bench();
    const source = new Database();
    source.failure = new RespaldoError('source-lost', 'the server is gone');
    await expect(backup(request(source), { ...at, clock: daily() }, at.signal)).rejects.toThrow('the server is gone');
    expect(await at.repository.snapshots({}, at.signal)).toEqual([]);
  });

  it('tells how much it will send', async () => {
    await using at = await bench();
    let total = 0;
    const onProgress = ({ bytesTotal }: { bytesTotal: number }) => void (total = Math.max(total, bytesTotal));
    await backup(request(new Database()), { ...at, clock: daily(), onProgress }, at.signal);
    expect(total).toBe(1000);
  });
});

it('takes one snapshot of each source of a plan', () => {
  const plan: Plan = {
    name: 'shop',
    sources: [{ address: './x' }],
    folder: '/etc',
    type: 'differential',
    tags: ['t'],
    selection: { ...selection, exclude: ['*.tmp'] },
    acceptDamagedPages: false,
  };
  const folder = openDirectories(['x'], {
    workingDirectory: '/etc',
    selection: plan.selection,
    acceptDamagedPages: false,
  });
  const database = new Database();
  const shared = { type: 'differential', plan: 'shop', tags: ['t'], hostname: 'h', username: 'u', dryRun: false };
  expect(backupsOf(plan, [folder, database], { hostname: 'h', username: 'u', dryRun: false })).toEqual([
    { ...shared, source: folder, excludes: ['*.tmp'] },
    { ...shared, source: database, excludes: [] },
  ]);
});
