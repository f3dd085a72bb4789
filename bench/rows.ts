/** What is measured, and what we demand of ourselves. */
import { changeSmallFiles } from './data/small-files.ts';
import { type Dataset, FORGOTTEN, LARGE_REPOSITORY, MIXED_TREE, SMALL_FILES, SQL_DUMP } from './datasets.ts';
import { firstBackup, secondBackup, streamBackup } from './works/backups.ts';
import { look, prune, smallBackup } from './works/repository.ts';
import { restore } from './works/restore.ts';
import type { Work } from './works/work.ts';

/** Ratios to restic. */
export interface Bar {
  /** restic's time divided by ours: at least. */
  readonly wall: number;
  /** The same: where we want to be. */
  readonly goal: number;
  /** Our processor time divided by restic's: at most. */
  readonly cpu: number;
}

export interface Row {
  readonly name: string;
  readonly title: string;
  readonly data: Dataset;
  readonly work: Work;
  readonly bar?: Bar;
  /** Bytes that a tool's run leaves on the disk at scale 1. */
  readonly leaves: number;
  /** Changes the data once all tools are prepared. */
  readonly change?: (data: string, scale: number) => void;
  /** The same on an empty repository: the difference in memory is the index's. */
  readonly baseline?: Work;
}

export const ROWS: readonly Row[] = [
  {
    name: 'first-mixed',
    title: 'first backup, 3 GB mixed tree',
    data: MIXED_TREE,
    work: firstBackup,
    bar: { wall: 2, goal: 3, cpu: 0.6 },
    leaves: 1.9e9,
  },
  {
    name: 'restore-mixed',
    title: 'restore of the mixed tree, metadata complete',
    data: MIXED_TREE,
    work: restore,
    bar: { wall: 1.6, goal: 2.5, cpu: 0.75 },
    leaves: 3.1e9,
  },
  {
    name: 'first-small',
    title: 'first backup, 100,000 small files',
    data: SMALL_FILES,
    work: firstBackup,
    bar: { wall: 2.2, goal: 3, cpu: 0.5 },
    leaves: 0.3e9,
  },
  {
    name: 'unchanged-small',
    title: 'second backup, nothing changed, 100,000 files',
    data: SMALL_FILES,
    work: secondBackup,
    bar: { wall: 2, goal: 4, cpu: 0.6 },
    leaves: 0.02e9,
  },
  {
    name: 'changed-small',
    title: 'second backup, 1 % of 100,000 files changed, in all folders',
    data: SMALL_FILES,
    work: secondBackup,
    change: changeSmallFiles,
    bar: { wall: 2, goal: 4, cpu: 0.6 },
    leaves: 0.05e9,
  },
  {
    name: 'stdin-sql',
    title: '4 GB SQL text from standard input',
    data: SQL_DUMP,
    work: streamBackup,
    bar: { wall: 1.8, goal: 2.5, cpu: 0.65 },
    leaves: 1.6e9,
  },
  {
    name: 'large-snapshots',
    title: '`snapshots` of 1,000 snapshots, 1 M blobs',
    data: LARGE_REPOSITORY,
    work: look('snapshots'),
    bar: { wall: 1, goal: 2, cpu: 1 },
    leaves: 0,
  },
  {
    name: 'large-ls',
    title: '`ls` in 1,000 snapshots, 1 M blobs',
    data: LARGE_REPOSITORY,
    work: look('ls'),
    bar: { wall: 1, goal: 2, cpu: 1 },
    leaves: 0,
  },
  {
    name: 'large-check',
    title: '`check` of 1,000 snapshots, 1 M blobs',
    data: LARGE_REPOSITORY,
    work: look('check'),
    bar: { wall: 1, goal: 2, cpu: 1 },
    leaves: 0.3e9,
  },
  {
    name: 'large-memory',
    title: 'backup of one file into 1 M blobs: memory of the index',
    data: LARGE_REPOSITORY,
    work: smallBackup('large'),
    baseline: smallBackup('empty'),
    leaves: 0.01e9,
  },
  {
    name: 'prune',
    title: '`prune` after forgetting half of 200 snapshots',
    data: FORGOTTEN,
    work: prune,
    bar: { wall: 1.5, goal: 3, cpu: 0.8 },
    leaves: 0.5e9,
  },
];
