import type { Command } from 'commander';
import type { Invocation } from './invocation.ts';

/** A file of `commands/`: gives the bare command of that name its arguments, options, help and action. */
export interface VerbModule {
  define(command: Command, invocation: Invocation): void | Promise<void>;
}

interface Verb {
  readonly name: string;
  /** One line of `respaldo --help`. */
  readonly summary: string;
  /** Loaded when the verb runs, or its own help is asked for: `respaldo --help` starts fast. */
  readonly load: () => Promise<VerbModule>;
}

interface VerbGroup {
  readonly heading: string;
  readonly verbs: readonly Verb[];
}

export const VERBS: readonly VerbGroup[] = [
  {
    heading: 'Back up and restore:',
    verbs: [
      { name: 'init', summary: 'Make a new repository', load: () => import('./commands/init.ts') },
      {
        name: 'backup',
        summary: 'Take snapshots of plans, folders or databases',
        load: () => import('./commands/backup.ts'),
      },
      {
        name: 'stream',
        summary: "Follow a database server's log, and store it as it is written",
        load: () => import('./commands/stream.ts'),
      },
      {
        name: 'restore',
        summary: 'Bring back a snapshot, or a part of one',
        load: () => import('./commands/restore.ts'),
      },
      {
        name: 'archive',
        summary: 'List, verify, restore and forget portable files',
        load: () => import('./commands/archive.ts'),
      },
      {
        name: 'verify',
        summary: 'Prove snapshots by restoring them to nowhere',
        load: () => import('./commands/verify.ts'),
      },
    ],
  },
  {
    heading: 'Look:',
    verbs: [
      {
        name: 'snapshots',
        summary: 'List the snapshots of a repository',
        load: () => import('./commands/snapshots.ts'),
      },
      {
        name: 'summary',
        summary: 'Show how every plan fares',
        load: () => import('./commands/summary.ts'),
      },
      { name: 'ls', summary: 'List the files in a snapshot', load: () => import('./commands/ls.ts') },
      {
        name: 'find',
        summary: 'Find files by name in all snapshots',
        load: () => import('./commands/find.ts'),
      },
      {
        name: 'diff',
        summary: 'Show what changed between two snapshots',
        load: () => import('./commands/diff.ts'),
      },
      { name: 'stats', summary: 'Count files, blobs and bytes', load: () => import('./commands/stats.ts') },
      { name: 'list', summary: 'List the ids of stored objects', load: () => import('./commands/list.ts') },
      { name: 'cat', summary: 'Print a stored object', load: () => import('./commands/cat.ts') },
      {
        name: 'dump',
        summary: 'Write a file or folder out as it is stored',
        load: () => import('./commands/dump.ts'),
      },
      {
        name: 'runs',
        summary: 'List what was run lately, and what came of it',
        load: () => import('./commands/runs.ts'),
      },
    ],
  },
  {
    heading: 'Keep a repository in order:',
    verbs: [
      { name: 'check', summary: 'Look for damage in a repository', load: () => import('./commands/check.ts') },
      {
        name: 'copy',
        summary: 'Copy snapshots from another repository',
        load: () => import('./commands/copy.ts'),
      },
      { name: 'tag', summary: 'Change the tags of snapshots', load: () => import('./commands/tag.ts') },
      { name: 'forget', summary: 'Drop snapshots by id or by a policy', load: () => import('./commands/forget.ts') },
      {
        name: 'retention',
        summary: 'Show, set and apply which snapshots of plans stay',
        load: () => import('./commands/retention.ts'),
      },
      { name: 'prune', summary: 'Free the space that no snapshot needs', load: () => import('./commands/prune.ts') },
      {
        name: 'repair',
        summary: 'Save what can be saved of a damaged repository',
        load: () => import('./commands/repair.ts'),
      },
      {
        name: 'rewrite',
        summary: 'Take files out of snapshots, or change their host',
        load: () => import('./commands/rewrite.ts'),
      },
      {
        name: 'migrate',
        summary: 'Change a repository to a newer format',
        load: () => import('./commands/migrate.ts'),
      },
      {
        name: 'unlock',
        summary: 'Remove locks that dead processes left behind',
        load: () => import('./commands/unlock.ts'),
      },
      {
        name: 'cache',
        summary: 'List what is kept of repositories elsewhere',
        load: () => import('./commands/cache.ts'),
      },
      { name: 'key', summary: 'List, add, remove and change passwords', load: () => import('./commands/key.ts') },
    ],
  },
  {
    heading: 'Set up:',
    verbs: [
      {
        name: 'detect',
        summary: 'Find the databases that could be backed up',
        load: () => import('./commands/detect.ts'),
      },
      {
        name: 'config',
        summary: 'Write or check respaldo.yaml, or print its schema',
        load: () => import('./commands/config.ts'),
      },
      {
        name: 'doctor',
        summary: 'Try whether a store can keep a repository',
        load: () => import('./commands/doctor.ts'),
      },
      {
        name: 'completion',
        summary: 'Print a completion script for bash, zsh or fish',
        load: () => import('./commands/completion.ts'),
      },
      { name: 'version', summary: 'Print the version', load: () => import('./commands/version.ts') },
    ],
  },
];
