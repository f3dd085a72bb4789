import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BACKUP_REQUEST, bench, type Bench } from '../../test/fixtures/bench.ts';
import type { ArchivePlace } from '../archive/archive.ts';
import { plainContent, storedContent } from '../archive/index.ts';
import { systemClock } from '../clock.ts';
import { RespaldoError } from '../errors.ts';
import { SOURCE_KINDS } from '../sources/index.ts';
import type { Source } from '../sources/source.ts';
import { LocalStore } from '../stores/local/local.ts';
import { backUpToArchives } from './archive-backup.ts';
import type { CapturedSource } from './archive-writing.ts';
import { backup } from './backup.ts';

const { signal } = new AbortController();

let place: Bench;
let source: Source;
beforeEach(async () => {
  place = await bench();
  const options = { workingDirectory: place.folder, selection: SELECTION, acceptDamagedPages: false };
  const kind = SOURCE_KINDS.find(({ name }) => name === 'sqlite');
  source = kind?.open('sqlite:./shop.db', options) ?? expect.fail();
  query('CREATE TABLE orders (id INTEGER PRIMARY KEY, text TEXT)');
  query(`INSERT INTO orders (text) SELECT hex(randomblob(500)) ${ROWS}`);
});
afterEach(() => place[Symbol.asyncDispose]());

const SELECTION = { exclude: [], oneFileSystem: false, excludeCaches: false };
const ROWS = 'FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) SELECT i FROM n)';

function query(sql: string, file = 'shop.db'): unknown[] {
  using database = new DatabaseSync(join(place.folder, file));
  return database.prepare(sql).all();
}

/** The same run's snapshot, as it goes to the archives. */
async function captured(): Promise<ReadonlyMap<Source, CapturedSource>> {
  const { repository, runtime, journal } = place;
  const { snapshot } = await backup(
    { ...BACKUP_REQUEST, source },
    { repository, runtime, journal, clock: systemClock },
    signal,
  );
  return new Map([[source, { snapshot: repository.readable(snapshot ?? expect.fail(), signal), isIncomplete: false }]]);
}

async function archive(name: string, breaks = 0): Promise<ArchivePlace> {
  const store = new BreakingStore(join(place.folder, name), breaks);
  await store.makePlace(signal);
  return { archive: name, store, template: '{database}-{time}', steps: { compression: { name: 'none' } } };
}

/** Its uploads break off so many times. */
class BreakingStore extends LocalStore {
  #breaks: number;

  constructor(folder: string, breaks: number) {
    super(folder);
    this.#breaks = breaks;
  }

  override writeStream(key: string, content: AsyncIterable<Uint8Array>, until: AbortSignal): Promise<number> {
    return super.writeStream(key, this.#breaks-- > 0 ? cut(content) : content, until);
  }
}

async function* cut(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of content) {
    yield piece;
    throw new RespaldoError('store-broken', 'the line broke');
  }
}

async function archived(places: readonly ArchivePlace[], from: ReadonlyMap<Source, CapturedSource>) {
  const told: string[] = [];
  const outcomes = await backUpToArchives(
    {
      plan: 'shop',
      sources: [source],
      captured: from,
      places,
      hostname: 'web1',
      run: 'a-run',
      program: 'respaldo 0.1.0',
    },
    {
      runtime: place.runtime,
      clock: systemClock,
      onRetry: (name) => told.push(`again ${name}`),
      onUnreadable: (id) => told.push(`unreadable ${String(id.length)}`),
    },
    signal,
  );
  return { outcomes, told };
}

/** How many orders the file of an archive holds. */
async function ordersIn({ store }: ArchivePlace, [outcome]: Awaited<ReturnType<typeof archived>>['outcomes']) {
  const [file] = outcome?.files ?? [];
  const { key, manifest } = file ?? expect.fail();
  const plain = plainContent(storedContent(store, key, manifest, signal), manifest, {}, signal);
  await new LocalStore(place.folder).writeStream('archived.db', plain, signal);
  return { rows: query('SELECT count(*) AS n FROM orders', 'archived.db'), snapshot: manifest.facts['snapshot'] };
}

describe('a source that the run has stored in a repository already', () => {
  it('goes to the archives as it was stored, without being read again', async () => {
    const from = await captured();
    query('DELETE FROM orders');
    const here = await archive('here');
    const { outcomes, told } = await archived([here], from);
    expect({ told, state: outcomes[0]?.state }).toEqual({ told: [], state: 'succeeded' });
    expect(await ordersIn(here, outcomes)).toEqual({ rows: [{ n: 200 }], snapshot: from.get(source)?.snapshot.id });
    // By this the files of several databases of one name are told apart.
    expect(outcomes[0]?.files[0]?.manifest.facts['path']).toBe(source.paths[0]);
  });

  it('is sent again from there to an archive that failed, and to no other', async () => {
    const from = await captured();
    await rm(join(place.folder, 'shop.db'));
    const [here, shaky] = [await archive('here'), await archive('shaky', 1)];
    const { outcomes, told } = await archived([shaky, { ...here, steps: { compression: { name: 'gzip' } } }], from);
    expect(told).toEqual(['again shaky']);
    expect(outcomes.map(({ state, files }) => [state, files.length])).toEqual([
      ['succeeded', 1],
      ['succeeded', 1],
    ]);
    expect(await ordersIn(shaky, outcomes)).toMatchObject({ rows: [{ n: 200 }] });
  });

  it('is read again where the snapshot has been damaged meanwhile', async () => {
    const from = await captured();
    query('DELETE FROM orders WHERE id > 50');
    await rm(join(place.folder, 'repository/data'), { recursive: true });
    const here = await archive('here');
    const { outcomes, told } = await archived([here], from);
    expect({ told, state: outcomes[0]?.state }).toEqual({ told: ['unreadable 64'], state: 'succeeded' });
    expect(await ordersIn(here, outcomes)).toEqual({ rows: [{ n: 50 }], snapshot: undefined });
  });

  it('makes files that are as incomplete as its snapshot', async () => {
    const [[, one] = expect.fail()] = await captured();
    const { outcomes } = await archived([await archive('here')], new Map([[source, { ...one, isIncomplete: true }]]));
    expect(outcomes).toMatchObject([
      { state: 'incomplete', files: [{ manifest: { facts: { incomplete: 'so is the snapshot' } } }] },
    ]);
  });
});
