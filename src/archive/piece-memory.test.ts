import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { storeOver } from '../../test/fixtures/store-over.ts';
import type { Compression } from '../domain/archive.ts';
import { LocalStore } from '../stores/local/local.ts';
import type { ArchivePlace } from './archive.ts';
import { writeArchiveFile, type NewArchiveFile } from './writer.ts';

const { signal } = new AbortController();
const NONE: Compression = { name: 'none' };
const PIECES = 40;
const SIZE = 100_000;
const WHOLE = Buffer.concat(Array.from({ length: PIECES }, (_, i) => piece(i)));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'respaldo-pieces-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** With memory of its own. */
function piece(number: number): Uint8Array {
  return new Uint8Array(SIZE).fill(number + 1);
}

function newFile(about: Pick<NewArchiveFile, 'disposable' | 'fleeting'>): NewArchiveFile {
  const content = async function* () {
    const only = piece(0);
    for (let i = 0; i < PIECES; i++) yield await Promise.resolve(about.fleeting ? only.fill(i + 1) : piece(i));
  };
  return {
    ...about,
    content: content(),
    name: { plan: 'shop', database: 'orders', host: 'web1', time: new Date('2026-01-02T03:04:05Z'), extension: 'sql' },
    source: 'postgres',
    run: 'a-run',
    program: 'respaldo 0.1.0',
    about: () => ({ versions: {}, facts: {}, restoreCommand: 'psql orders' }),
  };
}

interface Spied {
  readonly place: ArchivePlace;
  /** Pieces of its file that it was given, and that still have their bytes when the file is there. */
  readonly kept: () => number;
  readonly stored: () => Promise<Buffer>;
}

async function spied(name: string, writesAtOnce: boolean): Promise<Spied> {
  const inner = new LocalStore(join(folder, name));
  await inner.makePlace(signal);
  const given: Uint8Array[] = [];
  const watched = async function* (content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const one of content) {
      given.push(one);
      yield one;
    }
  };
  const store = storeOver(inner, {
    ...(writesAtOnce && { writesAtOnce }),
    writeStream: (key, content, until) => inner.writeStream(key, watched(content), until),
  });
  return {
    place: { archive: name, store, template: '{database}-{time}', steps: { compression: NONE } },
    kept: () => given.filter(({ length }) => length > 0).length,
    stored: () => readFile(join(folder, name, 'orders-20260102T030405Z.sql')),
  };
}

describe('the memory of pieces', () => {
  it.each([{ disposable: true }, { fleeting: true }] as const)(
    'is given back when a store that writes at once has written them: %o',
    async (about) => {
      const spy = await spied('quick', true);
      const [written] = await writeArchiveFile(newFile(about), [spy.place], { signal });
      expect(written?.error).toBeUndefined();
      expect((await spy.stored()).equals(WHOLE)).toBe(true);
      expect(spy.kept()).toBe(0);
    },
  );

  it('stays with a store that may look at them later', async () => {
    const spy = await spied('slow', false);
    await writeArchiveFile(newFile({ disposable: true }), [spy.place], { signal });
    expect((await spy.stored()).equals(WHOLE)).toBe(true);
    expect(spy.kept()).toBe(PIECES);
  });

  it('stays where another store is given the same ones, and where the source may look at them again', async () => {
    const [one, other, third] = [await spied('one', true), await spied('other', true), await spied('third', true)];
    await writeArchiveFile(newFile({ disposable: true }), [one.place, other.place], { signal });
    await writeArchiveFile(newFile({}), [third.place], { signal });
    for (const { stored, kept } of [one, other, third]) {
      expect((await stored()).equals(WHOLE)).toBe(true);
      expect(kept()).toBe(PIECES);
    }
  });
});
