import type { Task } from './tool.ts';

/** The arguments by which restic, and Respaldo like it, is told to do something. */
export function verbs(task: Task): string[] {
  switch (task.kind) {
    case 'init':
    case 'snapshots':
    case 'check':
    case 'prune':
      return [task.kind];
    case 'backup':
      return ['backup', task.source];
    case 'backup-stream':
      return ['backup', '--stdin', '--stdin-filename', 'dump.sql'];
    case 'restore':
      return ['restore', 'latest', '--target', task.target];
    case 'ls':
      return ['ls', 'latest'];
    case 'forget':
      return ['forget', '--keep-last', String(task.keep)];
  }
}
