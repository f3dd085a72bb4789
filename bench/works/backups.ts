import { join } from 'node:path';
import type { Work } from './work.ts';

/** Into a new repository. */
export const firstBackup: Work =
  async ({ ground, tool, data, folder }) =>
  async (run) => {
    const place = await ground.newPlace(tool, join(folder, String(run)));
    return {
      command: tool.command({ kind: 'backup', name: 'first', source: data }, place),
      reads: data,
      repository: place.repository,
    };
  };

/** Into a repository that holds a backup of the same folder. */
export const secondBackup: Work = async ({ ground, tool, data, folder }) => {
  const base = await ground.newPlace(tool, join(folder, 'base'));
  await ground.run(tool.command({ kind: 'backup', name: 'first', source: data }, base));
  return async (run) => {
    const place = await ground.copyPlace(base, join(folder, String(run)));
    return {
      command: tool.command({ kind: 'backup', name: 'second', source: data }, place),
      reads: data,
      repository: place.repository,
    };
  };
};

/** A file through a pipe, into a new repository. */
export const streamBackup: Work =
  async ({ ground, tool, data, folder }) =>
  async (run) => {
    const place = await ground.newPlace(tool, join(folder, String(run)));
    const command = tool.command({ kind: 'backup-stream', input: data }, place);
    return { command, reads: data, repository: place.repository };
  };
