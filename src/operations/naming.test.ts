import { expect, it } from 'vitest';
import { bench } from '../../test/fixtures/bench.ts';
import { saveFiles } from '../../test/fixtures/repository.ts';
import { isError } from '../errors.ts';
import { bearersOf, replaceBearers } from './naming.ts';

it('a name passes to a new snapshot only where that is asked for, and only to a complete one', async () => {
  await using here = await bench();
  const { repository, signal } = here;
  expect(await bearersOf('before', false, repository, signal)).toEqual([]);
  const old = await saveFiles(repository, { '/a': '1' }, { tags: ['name=before'] });
  await saveFiles(repository, { '/a': '2' }, { tags: ['name=before-that'] });
  await expect(bearersOf('before', false, repository, signal)).rejects.toSatisfy((error) => isError(error, 'usage'));
  const bearers = await bearersOf('before', true, repository, signal);
  expect(bearers.map(({ id }) => id)).toEqual([old.id]);

  const snapshot = await saveFiles(repository, { '/a': '3' }, { tags: ['name=before'] });
  expect(await replaceBearers(bearers, { state: 'incomplete', snapshot }, repository, signal)).toBeUndefined();
  expect(await replaceBearers(bearers, { state: 'succeeded' }, repository, signal)).toBeUndefined();
  expect((await repository.find('before', {}, signal)).id).toBe(snapshot.id);
  expect(await repository.snapshots({}, signal)).toHaveLength(3);

  expect(await replaceBearers(bearers, { state: 'succeeded', snapshot }, repository, signal)).toEqual({
    dropped: bearers,
    kept: [],
  });
  expect(await repository.snapshots({}, signal)).toHaveLength(2);
  expect((await repository.find('before', {}, signal)).id).toBe(snapshot.id);
});

it('a snapshot that its plan cannot do without loses its name, and stays', async () => {
  await using here = await bench();
  const { repository, signal } = here;
  const save = (content: string, ...tags: string[]) => saveFiles(repository, { '/a': content }, { tags });
  const full = await save('1', 'plan=shop', 'type=full', 'name=before');
  const snapshot = await save('2', 'plan=shop', 'type=incremental', 'name=before');
  const replaced = await replaceBearers([full], { state: 'succeeded', snapshot }, repository, signal);
  expect(replaced).toMatchObject({
    dropped: [],
    kept: [{ reason: expect.stringMatching(/^needed by /) as string }],
  });
  const [first, second] = await repository.snapshots({}, signal);
  expect(first).toMatchObject({ id: replaced?.kept[0]?.id, original: full.id, tags: ['plan=shop', 'type=full'] });
  expect(second?.id).toBe(snapshot.id);
  expect((await repository.find('before', {}, signal)).id).toBe(snapshot.id);
});
