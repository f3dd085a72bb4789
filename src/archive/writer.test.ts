import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { storeOver } from '../../test/fixtures/store-over.ts';
import type { Compression } from '../domain/archive.ts';
import { RespaldoError } from '../errors.ts';
import { LocalStore } from '../stores/local/local.ts';
import type { Store } from '../stores/store.ts';
import type { ArchivePlace, WrittenFile } from './archive.ts';
import { sendLeftovers, sweepPlace } from './leftovers.ts';
import { listArchive } from './listing.ts';
import { plainContent, storedContent } from './reader.ts';
import { writeArchiveFile, type NewArchiveFile } from './writer.ts';

const { signal } = new AbortController();
const TEXT = Buffer.alloc(5_000_000, 'INSERT INTO orders VALUES (1);\n');
const GZIP: Compression = { name: 'gzip' };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'respaldo-writer-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Counts how often it is captured. */
function newFile(seen = { captured: 0 }, fails = false): NewArchiveFile {
  const content = async function* () {
    seen.captured += 1;
    for (let at = 0; at < TEXT.length; at += 100_000) yield await Promise.resolve(TEXT.subarray(at, at + 100_000));
    if (fails) throw new RespaldoError('source-lost', 'the dump was cut short');
  };
  return {
    content: content(),
    name: { plan: 'shop', database: 'orders', host: 'web1', time: new Date('2026-01-02T03:04:05Z'), extension: 'sql' },
    source: 'postgres',
    run: 'a-run',
    program: 'respaldo 0.1.0',
    about: () => ({ versions: { pg_dump: '15' }, facts: { encoding: 'UTF8' }, restoreCommand: 'psql orders' }),
  };
}

async function store(name: string): Promise<LocalStore> {
  const made = new LocalStore(join(folder, name));
  await made.makePlace(signal);
  return made;
}

function placeIn(held: Store, compression = GZIP, temp?: Store): ArchivePlace {
  const template = '{plan}/{database}-{time}';
  return { archive: held.location, store: held, template, steps: { compression }, ...(temp && { temp }) };
}

/** A store whose uploads break off after so many bytes, so many times. */
function breaking(inner: LocalStore, times: number, after = 1000): Store {
  let left = times;
  return storeOver(inner, {
    writeStream: (key, content, until) => inner.writeStream(key, left-- > 0 ? cut(content, after) : content, until),
  });
}

async function* cut(content: AsyncIterable<Uint8Array>, after: number): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const piece of content) {
    yield piece;
    bytes += piece.length;
    if (bytes > after) throw new RespaldoError('store-broken', 'the line broke');
  }
  throw new RespaldoError('store-broken', 'the line broke');
}

/** A store that changes a byte on the way, so many times. */
function forgetful(inner: LocalStore, times: number, about: Pick<Store, 'compares'> = {}): Store {
  let left = times;
  const spoilt = async function* (content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of content) yield Buffer.from(piece).fill(0, 0, 1);
  };
  return storeOver(inner, {
    ...about,
    writeStream: (key, content, until) => inner.writeStream(key, left-- > 0 ? spoilt(content) : content, until),
  });
}

async function filesIn(name: string): Promise<readonly string[]> {
  const found = await readdir(join(folder, name), { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .toSorted();
}

const NAME = 'orders-20260102T030405Z.sql.gz';
const WHOLE = [NAME, `${NAME}.manifest.json`];

function errorsOf(written: readonly WrittenFile[]): readonly (string | undefined)[] {
  return written.map(({ error }) => error?.code);
}

describe('a file for several places', () => {
  it('is captured once, and is the same in all of them, with a manifest', async () => {
    const seen = { captured: 0 };
    const [one, two, plain] = [await store('one'), await store('two'), await store('plain')];
    const places = [placeIn(one), placeIn(two), placeIn(plain, { name: 'none' })];
    const written = await writeArchiveFile(newFile(seen), places, { signal });
    expect(errorsOf(written)).toEqual([undefined, undefined, undefined]);
    expect(seen.captured).toBe(1);
    expect(await filesIn('one')).toEqual(WHOLE);
    const stored = await readFile(join(folder, 'one/shop', NAME));
    expect(stored.equals(await readFile(join(folder, 'two/shop', NAME)))).toBe(true);
    expect(gunzipSync(stored).equals(TEXT)).toBe(true);
    const { files } = await listArchive(two, signal);
    expect(files).toMatchObject([
      {
        key: `shop/${NAME}`,
        state: 'whole',
        manifest: {
          plan: 'shop',
          database: 'orders',
          plain: { bytes: TEXT.length },
          stored: { bytes: stored.length },
          restore: `gunzip < ${NAME} | psql orders`,
        },
      },
    ]);
    const [file] = files;
    if (file === undefined) throw new Error('nothing is listed');
    const content = plainContent(storedContent(two, file.key, file.manifest, signal), file.manifest, {}, signal);
    expect(Buffer.concat(await Array.fromAsync(content)).equals(TEXT)).toBe(true);
  });

  it.each([['gzip'], ['zstd'], ['none'], ['gzip', 'none'], ['zstd', 'gzip']] as const)(
    'holds what came in pieces that were overwritten by the next one: %s %s',
    async (...names) => {
      const piece = Buffer.alloc(100_000);
      const content = async function* () {
        for (let at = 0; at < TEXT.length; at += piece.length) {
          TEXT.copy(piece, 0, at);
          yield await Promise.resolve(piece);
          piece.fill(0);
        }
      };
      const stores = await Promise.all(names.map((name) => store(name)));
      const places = stores.map((held, i) => placeIn(held, { name: names[i] ?? 'none' }));
      const file = { ...newFile(), content: content(), fleeting: true as const };
      expect(errorsOf(await writeArchiveFile(file, places, { signal }))).toEqual(names.map(() => undefined));
      for (const held of stores) {
        const [found] = (await listArchive(held, signal)).files;
        if (found === undefined) throw new Error('nothing is listed');
        const plain = plainContent(storedContent(held, found.key, found.manifest, signal), found.manifest, {}, signal);
        expect(Buffer.concat(await Array.fromAsync(plain)).equals(TEXT)).toBe(true);
      }
    },
  );

  it('is sent again from where it lies where a store broke, without being captured again', async () => {
    const seen = { captured: 0 };
    const retried: string[] = [];
    const [bad, good] = [breaking(await store('bad'), 1), await store('good')];
    const written = await writeArchiveFile(newFile(seen), [placeIn(bad), placeIn(good)], {
      signal,
      onRetry: ({ archive }, { code }) => retried.push(`${archive} ${code}`),
    });
    expect(errorsOf(written)).toEqual([undefined, undefined]);
    expect(seen.captured).toBe(1);
    expect(retried).toEqual([`${bad.location} store-broken`]);
    expect(await filesIn('bad')).toEqual(WHOLE);
  });

  it('is not there at all where a store goes on breaking, and whole in the others', async () => {
    const [bad, good, other] = [breaking(await store('bad'), 9), await store('good'), await store('other')];
    const places = [placeIn(bad), placeIn(good), placeIn(other, { name: 'zstd' })];
    const written = await writeArchiveFile(newFile(), places, { signal });
    expect(errorsOf(written)).toEqual(['store-broken', undefined, undefined]);
    expect(await filesIn('bad')).toEqual([]);
    expect(await filesIn('good')).toEqual(WHOLE);
    expect(await filesIn('other')).toHaveLength(2);
  });

  it('is nowhere where its source fails', async () => {
    const places = [placeIn(await store('one')), placeIn(await store('two'), { name: 'zstd' })];
    await expect(writeArchiveFile(newFile(undefined, true), places, { signal })).rejects.toMatchObject({
      code: 'source-lost',
    });
    expect(await filesIn('one')).toEqual([]);
    expect(await filesIn('two')).toEqual([]);
  });

  it('is in the others where the program of one place is missing', async () => {
    const path = process.env.PATH;
    process.env.PATH = folder;
    try {
      const places = [placeIn(await store('one'), { name: 'xz' }), placeIn(await store('two'))];
      const written = await writeArchiveFile(newFile(), places, { signal });
      expect(errorsOf(written)).toEqual(['tool-missing', undefined]);
    } finally {
      process.env.PATH = path;
    }
    expect(await filesIn('one')).toEqual([]);
    expect(await filesIn('two')).toEqual(WHOLE);
  });

  it('gets a number where its name is taken, and replaces nothing', async () => {
    const one = await store('one');
    await writeArchiveFile(newFile(), [placeIn(one)], { signal });
    await writeArchiveFile(newFile(), [placeIn(one)], { signal });
    const second = 'orders-20260102T030405Z-2.sql.gz';
    expect(await filesIn('one')).toEqual([second, `${second}.manifest.json`, ...WHOLE]);
  });

  it('gets another name than one that is written at the same time', async () => {
    const one = await store('one');
    const template = '{database}-{time}';
    const place = { ...placeIn(one), template };
    const both = await Promise.all([1, 2].map(() => writeArchiveFile(newFile(), [place], { signal })));
    expect(
      both
        .flat()
        .map(({ key }) => key)
        .toSorted(),
    ).toEqual(['orders-20260102T030405Z-2.sql.gz', NAME]);
    expect((await listArchive(one, signal)).files.map(({ state }) => state)).toEqual(['whole', 'whole']);
  });

  it('stays in the temporary folder where it could not be sent, and the next run sends it', async () => {
    const [temp, held] = [await store('temp'), await store('held')];
    const bad = breaking(held, 2);
    const [failed] = await writeArchiveFile(newFile(), [placeIn(bad, GZIP, temp)], { signal });
    expect(failed).toMatchObject({ error: { code: 'store-broken' }, leftIn: `${temp.location}/shop/${NAME}` });
    expect(await filesIn('held')).toEqual([]);
    expect(await filesIn('temp')).toEqual(WHOLE);
    expect(errorsOf(await sendLeftovers(placeIn(bad, GZIP, temp), signal))).toEqual([undefined]);
    expect(await filesIn('held')).toEqual(WHOLE);
    expect(await filesIn('temp')).toEqual([]);
  });

  it('is sent by the next run where one was killed while it was sent, and by no other while that one lives', async () => {
    const [temp, held] = [await store('temp'), await store('held')];
    const by = (mark: string) => ({
      ...placeIn(held, GZIP, temp),
      writer: { mark, isGone: (one: string) => Promise.resolve(one === 'killed') },
    });
    const now = new Date('2026-01-03T03:04:05Z');
    for (const mark of ['lives', 'killed']) {
      const killed = new AbortController();
      const stuck: Store = {
        ...breaking(held, 0),
        writeStream: () => {
          killed.abort();
          return Promise.reject(new RespaldoError('cancelled', 'nobody is there any more'));
        },
      };
      const dying = writeArchiveFile(newFile(), [{ ...by(mark), store: stuck }], { signal: killed.signal });
      await expect(dying).rejects.toMatchObject({ code: 'cancelled' });
      expect(await filesIn('temp')).toEqual([NAME, `${NAME}.${mark}.sending`]);
      await sweepPlace(by('next'), now, signal);
      const sent = await sendLeftovers(by('next'), signal);
      expect(sent).toHaveLength(mark === 'killed' ? 1 : 0);
      if (mark === 'lives') await temp.remove(`shop/${NAME}.lives.sending`, signal);
    }
    expect(await filesIn('held')).toEqual(WHOLE);
    expect(await filesIn('temp')).toEqual([]);
  });

  it('is sent from the temporary folder of another place where its own is full', async () => {
    const [one, two] = [
      placeIn(await store('one'), GZIP, breaking(await store('full'), 9)),
      placeIn(await store('two'), GZIP, await store('temp')),
    ];
    expect(errorsOf(await writeArchiveFile(newFile(), [two, one], { signal }))).toEqual([undefined, undefined]);
    for (const name of ['one', 'two']) expect(await filesIn(name)).toEqual(WHOLE);
    for (const name of ['full', 'temp']) expect(await filesIn(name)).toEqual([]);
  });

  it('counts only when what lies there has been read back, and is sent again from a good place or removed', async () => {
    const [bad, worse, good] = [
      forgetful(await store('bad'), 1),
      forgetful(await store('worse'), 9),
      await store('good'),
    ];
    const written = await writeArchiveFile(
      newFile(),
      [bad, worse, good].map((one) => placeIn(one)),
      { signal },
    );
    expect(errorsOf(written)).toEqual([undefined, 'source-damaged', undefined]);
    expect([await filesIn('bad'), await filesIn('worse')]).toEqual([WHOLE, []]);
    const alone = await writeArchiveFile(newFile(), [placeIn(forgetful(await store('alone'), 1))], { signal });
    expect(errorsOf(alone)).toEqual(['source-damaged']);
    expect(await filesIn('alone')).toEqual([]);
  });

  it('is not read back where the store compares sums itself, unless the archive asks for it', async () => {
    const at = async (name: string) => placeIn(forgetful(await store(name), 1, { compares: true }));
    const [trusting, doubting] = [await at('trusting'), { ...(await at('doubting')), confirm: 'checksum' as const }];
    expect(errorsOf(await writeArchiveFile(newFile(), [trusting], { signal }))).toEqual([undefined]);
    expect(errorsOf(await writeArchiveFile(newFile(), [doubting], { signal }))).toEqual(['source-damaged']);
  });

  it('is read back only where the sum that its place keeps is another one, or is not trusted', async () => {
    const keeping = (inner: Store, isSame: boolean): Store => ({
      ...inner,
      compareSums: () => Promise.resolve({ by: 'MD5', isSame }),
    });
    const at = async (name: string, isSame: boolean, spoilt = 0) =>
      placeIn(keeping(forgetful(await store(name), spoilt), isSame), GZIP, await store(`${name}-temp`));
    const proofOf = async (place: ArchivePlace) => {
      const [file] = await writeArchiveFile(newFile(), [place], { signal });
      return file?.error === undefined ? file?.confirmedBy : file.error.code;
    };
    expect(await proofOf(await at('same', true))).toBe('MD5');
    expect(await proofOf(await at('wrong-sum', false))).toBe('read');
    expect(await proofOf(await at('once', false, 1))).toBe('read');
    expect(await proofOf(await at('damaged', false, 9))).toBe('source-damaged');
    expect(await proofOf({ ...(await at('doubted', true)), confirm: 'read' })).toBe('read');
    expect(await proofOf({ ...(await at('asked', true)), confirm: 'checksum' })).toBe('MD5');
    expect(await proofOf({ ...(await at('hasty', true)), confirm: 'size' })).toBe('size');
  });

  it('leaves nothing in the temporary folder when it has arrived', async () => {
    const [temp, held] = [await store('temp'), await store('held')];
    expect(errorsOf(await writeArchiveFile(newFile(), [placeIn(breaking(held, 1), GZIP, temp)], { signal }))).toEqual([
      undefined,
    ]);
    expect(await filesIn('held')).toEqual(WHOLE);
    expect(await filesIn('temp')).toEqual([]);
  });
});

describe('a damaged file', () => {
  it('is never read as if it were whole', async () => {
    const one = await store('one');
    await writeArchiveFile(newFile(), [placeIn(one)], { signal });
    const [file] = (await listArchive(one, signal)).files;
    if (file === undefined) throw new Error('nothing is listed');
    const bytes = await one.read(file.key, undefined, signal);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    await one.write(file.key, bytes, signal);
    await expect(Array.fromAsync(storedContent(one, file.key, file.manifest, signal))).rejects.toMatchObject({
      code: 'source-damaged',
    });
    await one.write(file.key, bytes.subarray(1), signal);
    expect((await listArchive(one, signal)).files).toMatchObject([{ state: 'resized' }]);
    await one.remove(file.key, signal);
    expect((await listArchive(one, signal)).files).toMatchObject([{ state: 'missing' }]);
  });
});
