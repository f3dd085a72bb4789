import { beforeEach, describe, expect, test } from 'vitest';
import { NEVER, newRepository, PASSWORD, QUICK_KDF } from '../../test/fixtures/repository.ts';
import { MemoryStore } from '../stores/memory.ts';
import { openRepository } from './open.ts';
import type { Repository } from './repository.ts';

let store: MemoryStore;
beforeEach(() => {
  store = new MemoryStore();
});

const open = (password = PASSWORD) => openRepository(store, password, { kdf: QUICK_KDF }, NEVER);
const keysOf = async (prefix: string) => (await Array.fromAsync(store.list(prefix, NEVER))).map(({ key }) => key);
const ABOUT = { username: 'jo', hostname: 'elsewhere' };

async function spoil(key: string): Promise<void> {
  const bytes = await store.read(key, undefined, NEVER);
  await store.write(key, bytes.with(10, (bytes[10] ?? 0) ^ 1), NEVER);
}

describe('a new repository', () => {
  test.each([1, 2] as const)('of version %d opens with its password', async (version) => {
    const made = await newRepository(store, { version, polynomial: 0x3da3358b4dc173n });
    const opened = await open();
    expect(opened).toMatchObject({ id: made.id, version, keyId: made.keyId, location: 'memory' });
    expect(await opened.snapshots({}, NEVER)).toEqual([]);
  });

  test('is not made where there is one', async () => {
    await newRepository(store);
    const before = await keysOf('');
    await expect(newRepository(store)).rejects.toMatchObject({ code: 'repository-exists' });
    expect(await keysOf('')).toEqual(before);
  });

  test('is made where making one was interrupted; the key left over opens nothing', async () => {
    await newRepository(store);
    await store.remove('config', NEVER);
    await expect(open()).rejects.toMatchObject({
      code: 'repository-damaged',
      message: expect.stringContaining('config') as string,
    });
    await newRepository(store);
    expect(await keysOf('keys/')).toHaveLength(1);
    await open();
  });

  test('is one of those that are made at once, where the store can tell, and opens', async () => {
    const tries = await Promise.allSettled(Array.from({ length: 4 }, () => newRepository(store)));
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const one of tries)
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'repository-exists' });
    expect(await keysOf('keys/')).toHaveLength(1);
    await open();
  });

  test('is ours although the answer to its config was lost', async () => {
    const writeNew = store.writeNew.bind(store);
    store.writeNew = async (...request) => {
      await writeNew(...request);
      return writeNew(...request);
    };
    await newRepository(store);
    await open();
  });

  test.each(['snapshots/', 'index/', 'data/aa/'])(
    'is not made where the config of an old one is missing: %s',
    async (folder) => {
      await store.write(`${folder}${'a'.repeat(64)}`, Buffer.from('x'), NEVER);
      await expect(newRepository(store)).rejects.toMatchObject({ code: 'repository-damaged' });
      expect(await keysOf('')).toHaveLength(1);
    },
  );
});

describe('opening', () => {
  test('nothing says how to make a repository', async () => {
    await expect(open()).rejects.toMatchObject({
      code: 'repository-missing',
      exit: 10,
      hint: expect.stringContaining('respaldo init') as string,
    });
  });

  test('with a wrong password is told apart', async () => {
    await newRepository(store);
    await expect(open('hunter2')).rejects.toMatchObject({
      code: 'wrong-password',
      exit: 12,
      message: expect.not.stringContaining('hunter2') as string,
    });
  });

  test('without keys says so', async () => {
    await newRepository(store);
    for (const key of await keysOf('keys/')) await store.remove(key, NEVER);
    await expect(open()).rejects.toMatchObject({
      code: 'repository-damaged',
      message: expect.stringContaining('no keys') as string,
    });
  });

  test('goes by any key that is sound', async () => {
    const repository = await newRepository(store);
    await repository.addKey('second', ABOUT, NEVER);
    await spoil(`keys/${repository.keyId}`);
    await open('second');
    await expect(open()).rejects.toMatchObject({ code: 'repository-damaged' });
  });

  test('passes over what is no key, by its name or its config', async () => {
    const { keyId } = await newRepository(store);
    const other = new MemoryStore();
    const foreign = await newRepository(other);
    await store.write('keys/.tmp', Buffer.from('x'), NEVER);
    await store.write(`keys/${foreign.keyId}`, await other.read(`keys/${foreign.keyId}`, undefined, NEVER), NEVER);
    expect((await open()).keyId).toBe(keyId);
  });

  test('with a damaged config says so', async () => {
    await newRepository(store);
    await spoil('config');
    await expect(open()).rejects.toMatchObject({
      code: 'repository-damaged',
      message: expect.stringContaining('config') as string,
    });
  });
});

describe('keys', () => {
  let repository: Repository;
  beforeEach(async () => {
    let seconds = 0;
    const clock = { now: () => new Date(++seconds * 1000), monotonic: () => seconds * 1000 };
    repository = await newRepository(store, { clock });
  });

  test('are listed, the one in use marked', async () => {
    const id = await repository.addKey('second', ABOUT, NEVER);
    expect(await repository.keys(NEVER)).toMatchObject([
      { id: repository.keyId, current: true, username: 'maria', hostname: 'host' },
      { id, current: false, ...ABOUT },
    ]);
    const second = await open('second');
    expect(second.keyId).toBe(id);
    await open();
  });

  test('are removed, by a unique prefix, but neither the one in use nor the last', async () => {
    const id = await repository.addKey('second', ABOUT, NEVER);
    await expect(repository.removeKey(repository.keyId, NEVER)).rejects.toMatchObject({ code: 'usage' });
    await expect(repository.removeKey('', NEVER)).rejects.toMatchObject({ code: 'usage' });
    await expect(repository.removeKey('f'.repeat(64), NEVER)).rejects.toMatchObject({ code: 'usage' });
    await repository.removeKey(id.slice(0, 12), NEVER);
    await expect(open('second')).rejects.toMatchObject({ code: 'wrong-password' });
    await expect(repository.removeKey(repository.keyId, NEVER)).rejects.toMatchObject({ code: 'usage' });
    await open();
  });

  test('change their password by a new key that is there before the old one goes', async () => {
    const old = repository.keyId;
    const order: string[] = [];
    const [write, remove] = [store.write.bind(store), store.remove.bind(store)];
    store.write = (key, bytes, signal) => (order.push(`+${key.slice(0, 4)}`), write(key, bytes, signal));
    store.remove = (key, signal) => (order.push(`-${key.slice(0, 4)}`), remove(key, signal));
    const id = await repository.changePassword('changed', {}, NEVER);
    expect(order).toEqual(['+lock', '+keys', '-keys', '-lock']);
    expect(repository.keyId).toBe(id);
    expect(id).not.toBe(old);
    await expect(open()).rejects.toMatchObject({ code: 'wrong-password' });
    expect(await (await open('changed')).keys(NEVER)).toMatchObject([{ id, username: 'maria', hostname: 'host' }]);
  });
});
