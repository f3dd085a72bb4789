import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { measureTree } from '../tree-size.ts';
import type { Work } from './work.ts';

/** Into a fresh folder each time. Earlier ones stay: ext4 makes whoever writes next pay for what was removed. */
export const restore: Work = async ({ ground, tool, data, folder }) => {
  const place = await ground.newPlace(tool, join(folder, 'base'));
  await ground.run(tool.command({ kind: 'backup', name: 'first', source: data }, place));
  const wanted = measureTree(data);
  return async (run) => {
    const target = join(folder, `target-${run}`);
    await mkdir(target);
    return {
      command: tool.command({ kind: 'restore', target }, place),
      reads: place.repository,
      verify: async () => {
        const { entries, bytes } = measureTree(join(target, data));
        if (entries !== wanted.entries || bytes !== wanted.bytes)
          throw new Error(
            `${tool.name} restored ${entries} entries of ${bytes} bytes instead of ${wanted.entries} of ${wanted.bytes}`,
          );
      },
    };
  };
};
