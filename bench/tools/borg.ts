import { versionOf } from './version.ts';
import { PASSWORD, type Place, type Task, type Tool } from './tool.ts';

/** Debian's borg, if it is installed. */
export async function findBorg(): Promise<Tool | undefined> {
  const version = await versionOf('borg', '--version');
  return version === undefined ? undefined : borg(version);
}

function borg(version: string): Tool {
  return {
    name: 'borg',
    version,
    sharesFormat: false,
    command: (task, place) => {
      const argv = args(task, place);
      const env = {
        BORG_PASSPHRASE: PASSWORD,
        BORG_BASE_DIR: place.cache,
        // Repositories are copied from run to run.
        BORG_RELOCATED_REPO_ACCESS_IS_OK: 'yes',
      };
      const command = { argv: ['borg', ...argv], env };
      if (task.kind === 'backup-stream') return { ...command, input: task.input };
      return task.kind === 'restore' ? { ...command, cwd: task.target } : command;
    },
  };
}

function args(task: Task, { repository }: Place): string[] {
  switch (task.kind) {
    case 'init':
      return ['init', '--encryption', 'repokey', repository];
    case 'backup':
      return ['create', '--compression', 'zstd,3', `${repository}::${task.name}`, task.source];
    case 'backup-stream':
      return ['create', '--compression', 'zstd,3', `${repository}::first`, '-'];
    case 'restore':
      return ['extract', `${repository}::first`];
    case 'snapshots':
    case 'ls':
    case 'check':
    case 'forget':
    case 'prune':
      throw new Error(`borg's ${task.kind} is not measured`);
  }
}
