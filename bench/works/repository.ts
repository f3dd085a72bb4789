import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Work } from './work.ts';

/** Looks at the repository that the data is, and leaves it as it is. */
export function look(kind: 'snapshots' | 'ls' | 'check'): Work {
  return async ({ tool, data, folder }) =>
    async () => ({ command: tool.command({ kind }, { repository: data, cache: join(folder, 'cache') }), reads: data });
}

/** Prunes a copy of it. */
export const prune: Work =
  async ({ ground, tool, data, folder }) =>
  async (run) => {
    const shared = { repository: data, cache: join(folder, 'cache') };
    await mkdir(shared.cache, { recursive: true });
    const place = await ground.copyPlace(shared, join(folder, String(run)));
    const { repository } = place;
    return { command: tool.command({ kind: 'prune' }, place), reads: repository, repository };
  };

/** Backs up next to nothing: what it takes is what the repository's size costs. @param size of the repository */
export function smallBackup(size: 'large' | 'empty'): Work {
  return async ({ ground, tool, data, folder }) => {
    const shared = { repository: data, cache: join(folder, 'cache') };
    const source = join(folder, 'source');
    await mkdir(shared.cache);
    await mkdir(source);
    await writeFile(join(source, 'file'), 'next to nothing\n');
    return async (run) => {
      const target = join(folder, String(run));
      const place = size === 'large' ? await ground.copyPlace(shared, target) : await ground.newPlace(tool, target);
      const command = tool.command({ kind: 'backup', name: 'second', source }, place);
      return { command, reads: place.repository };
    };
  };
}
