import { accessSync, constants, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { versionOf } from './version.ts';
import { PASSWORD, type Tool } from './tool.ts';
import { verbs } from './verbs.ts';

/** The newest of the programs on the PATH whose name begins with `restic`. */
export async function findRestic(): Promise<Tool | undefined> {
  const found = await Promise.all(
    candidates().map(async (path) => ({ path, version: await versionOf(path, 'version') })),
  );
  const [newest] = found
    .filter(({ version }) => version !== undefined)
    .sort((a, b) => (b.version ?? '').localeCompare(a.version ?? '', 'en', { numeric: true }));
  return newest?.version === undefined ? undefined : restic(newest.path, newest.version);
}

function candidates(): string[] {
  const folders = new Set((process.env['PATH'] ?? '').split(delimiter).filter(Boolean));
  return [...folders].flatMap((folder) => programsIn(folder).map((name) => join(folder, name)));
}

function programsIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => /^restic(-[\d.]+)?$/.test(name) && isProgram(join(folder, name)));
  } catch {
    // PATH names many folders that are not there.
    return [];
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function restic(path: string, version: string): Tool {
  return {
    name: 'restic',
    version,
    sharesFormat: true,
    command: (task, { repository, cache }) => {
      const env = { RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: PASSWORD, RESTIC_CACHE_DIR: cache };
      const argv = [path, ...verbs(task)];
      return task.kind === 'backup-stream' ? { argv, env, input: task.input } : { argv, env };
    },
  };
}
