/** What the rows are measured on. Each is made when a row first asks for it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { blobsOf, type History, writeHistory } from './data/history.ts';
import { writeMixedTree } from './data/mixed-tree.ts';
import { writeSmallFiles } from './data/small-files.ts';
import { writeSqlDump } from './data/sql-dump.ts';
import type { Ground } from './ground.ts';
import { PASSWORD, type Tool } from './tools/tool.ts';

export interface Dataset {
  readonly name: string;
  /** A repository is measured only by tools of restic's format. */
  readonly kind: 'source' | 'repository';
  /** What it takes on disk at scale 1. */
  readonly bytes: number;
  /** Blobs of a repository. */
  readonly blobs?: (scale: number) => number;
  /** @param path is missing @param respaldo makes repositories */
  readonly make: (path: string, scale: number, ground: Ground, respaldo: Tool) => Promise<void>;
}

export const MIXED_TREE: Dataset = {
  name: 'mixed-tree',
  kind: 'source',
  bytes: 3.1e9,
  make: async (path, scale) => {
    mkdirSync(path);
    writeMixedTree(path, scale);
  },
};

export const SMALL_FILES: Dataset = {
  name: 'small-files',
  kind: 'source',
  bytes: 0.8e9,
  make: async (path, scale) => writeSmallFiles(path, scale),
};

export const SQL_DUMP: Dataset = {
  name: 'dump.sql',
  kind: 'source',
  bytes: 4e9,
  make: async (path, scale) => writeSqlDump(path, scale),
};

/** At scale 1: 1,000 snapshots, 1,000,210 blobs. */
export const LARGE_REPOSITORY: Dataset = {
  name: 'large-repository',
  kind: 'repository',
  bytes: 0.6e9,
  blobs: (scale) => blobsOf(years(scale)),
  make: async (path, scale, ground, respaldo) => {
    const { repository } = await ground.newPlace(respaldo, path);
    await writeHistory(repository, PASSWORD, years(scale));
  },
};

/** 200 snapshots at every scale, of which the first half has been forgotten. */
export const FORGOTTEN: Dataset = {
  name: 'forgotten',
  kind: 'repository',
  bytes: 0.6e9,
  make: async (path, scale, ground, respaldo) => {
    const place = await ground.newPlace(respaldo, path);
    const history = months(scale);
    await writeHistory(place.repository, PASSWORD, history);
    await ground.run(respaldo.command({ kind: 'forget', keep: history.snapshots / 2 }, place));
  },
};

/** Where a dataset lies in the bench's folder; a repository one level deeper, as everywhere. */
export function pathOf(dataset: Dataset, folder: string): string {
  return dataset.kind === 'repository' ? join(folder, dataset.name, 'repository') : join(folder, dataset.name);
}

function years(scale: number): History {
  return {
    snapshots: atLeast(2, 1000 * scale),
    folders: atLeast(4, 200 * Math.min(1, scale * 10)),
    files: 50,
    changedFolders: atLeast(1, 90 * Math.min(1, scale * 10)),
    changedFiles: 10,
    fileBytes: 200,
  };
}

function months(scale: number): History {
  return {
    snapshots: atLeast(4, 200 * Math.min(1, scale * 20)),
    folders: atLeast(4, 200 * scale),
    files: 50,
    changedFolders: atLeast(1, 50 * scale),
    changedFiles: 10,
    fileBytes: 6_000,
  };
}

function atLeast(least: number, wanted: number): number {
  return Math.max(least, Math.round(wanted));
}
