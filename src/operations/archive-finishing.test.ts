import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { RespaldoError } from '../errors.ts';
import { HostRuntime } from '../runtimes/host.ts';
import type { Source } from '../sources/source.ts';
import { LocalStore } from '../stores/local/local.ts';
import { backUpToArchives } from './archive-backup.ts';

const { signal } = new AbortController();

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'respaldo-finishing-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Stores the first file to its end only when the second is being read. */
class WaitingStore extends LocalStore {
  readonly secondIsRead = Promise.withResolvers<void>();
  readonly #failure: RespaldoError | undefined;
  #isFirst = true;

  constructor(failure?: RespaldoError) {
    super(folder);
    this.#failure = failure;
  }

  override async writeStream(key: string, content: AsyncIterable<Uint8Array>, until: AbortSignal): Promise<number> {
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    const size = await super.writeStream(key, content, until);
    if (!isFirst) return size;
    await this.secondIsRead.promise;
    if (this.#failure !== undefined) throw this.#failure;
    return size;
  }
}

async function archived(store: WaitingStore) {
  const source: Source = {
    kind: 'stream',
    paths: ['/stream'],
    check: () => Promise.resolve([]),
    capture: () => expect.fail(),
    async *portable() {
      const file = (name: string, onRead: () => void) => ({
        name,
        extension: 'sql',
        content: text(name, onRead),
        about: () => ({ versions: {}, facts: {}, restoreCommand: 'cat' }),
      });
      yield await Promise.resolve(file('one', () => undefined));
      yield file('two', store.secondIsRead.resolve);
      yield file('three', () => undefined);
    },
  };
  const place = { archive: 'here', store, template: '{database}', steps: { compression: { name: 'none' } } } as const;
  const told: string[] = [];
  const progress: number[] = [];
  const request = { plan: 'p', sources: [source], places: [place], hostname: 'h', run: 'r', program: 'respaldo' };
  const ports = {
    runtime: new HostRuntime(),
    clock: systemClock,
    onFile: ({ key, error }: { readonly key: string; readonly error?: RespaldoError | undefined }) =>
      told.push(error === undefined ? key : `${key}: ${error.message}`),
    onProgress: ({ bytes }: { readonly bytes: number }) => progress.push(bytes),
  };
  const [outcome] = await backUpToArchives(request, ports, signal);
  return { told, progress, state: outcome?.state, files: outcome?.files.map(({ key }) => key) };
}

async function* text(name: string, onRead: () => void): AsyncGenerator<Uint8Array> {
  onRead();
  yield await Promise.resolve(Buffer.from(name));
}

describe('files of one run', () => {
  it('are read while the one before is still being stored, and are told in their order', async () => {
    expect(await archived(new WaitingStore())).toEqual({
      told: ['one.sql', 'two.sql', 'three.sql'],
      progress: [3, 6, 11],
      state: 'succeeded',
      files: ['one.sql', 'two.sql', 'three.sql'],
    });
  });

  it('are stored although the one before was not', async () => {
    const broken = new WaitingStore(new RespaldoError('store-broken', 'the line broke'));
    expect(await archived(broken)).toMatchObject({
      told: ['one.sql: the line broke', 'two.sql', 'three.sql'],
      state: 'failed',
      files: ['two.sql', 'three.sql'],
    });
  });
});
