/** Folders and files of this machine. */
import { lstat } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import type { Entry, LocalTree, Selection } from '../../domain/entry.ts';
import type { Finding } from '../../domain/finding.ts';
import { encodeName, isText } from '../../domain/name.ts';
import { RespaldoError } from '../../errors.ts';
import type { Increments, PortableFile, Source, SourceIo, SourceKind, SourceOptions } from '../source.ts';

/** Of many that are missing, so many are named. */
const NAMED = 5;
const SCHEME = /^[a-z][a-z0-9+-]*:/i;

export const directory: SourceKind = {
  name: 'directory',
  addresses: 'a folder or file (./folder, /folder; with "./" before a name that has a colon)',
  accepts: (address) => !SCHEME.test(address),
  open: (address, options) => openDirectories([address], options),
  restore: (_snapshot, into) => into.extract('/', into.folder),
  unpack: async (content, folder, io, builds = false) => {
    const { unpackFolder } = await import('./tar.ts');
    await unpackFolder(content, folder, builds, io.runtime, io.signal);
  },
};

/** Several folders and files that form one snapshot. */
export function openDirectories(addresses: readonly string[], options: SourceOptions): Source {
  const empty = addresses.find((address) => address === '');
  if (empty !== undefined)
    throw new RespaldoError('usage', 'an empty path cannot be backed up', { hint: 'Name a folder, such as ./data.' });
  const tree: LocalTree = {
    kind: 'local-tree',
    targets: addresses,
    workingDirectory: options.workingDirectory,
    selection: options.selection,
    ...(options.reading && { reading: options.reading }),
  };
  const paths = addresses.map((address) =>
    isAbsolute(address) ? resolve(address) : resolve(options.workingDirectory, address),
  );
  return {
    kind: 'directory',
    paths,
    check: () => check(paths),
    capture: () => capture(tree),
    portable: (io, increments) => portable(paths, options.selection, io, increments),
  };
}

/** A path that is missing makes the snapshot incomplete; if all are, there is nothing to back up. */
async function check(paths: readonly string[]): Promise<readonly Finding[]> {
  for (const path of paths) if (await exists(path)) return [];
  const named = paths.slice(0, NAMED).join(', ') + (paths.length > NAMED ? ` and ${paths.length - NAMED} more` : '');
  throw new RespaldoError(
    'source-missing',
    `nothing to back up: ${named} ${paths.length === 1 ? 'does' : 'do'} not exist`,
    {
      hint: 'Check the spelling, and whether you may read the folder above.',
    },
  );
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(isText(path) ? path : Buffer.from(encodeName(path)));
    return true;
  } catch {
    return false;
  }
}

async function* portable(
  paths: readonly string[],
  selection: Selection,
  io: SourceIo,
  increments: Increments | undefined,
): AsyncIterable<PortableFile> {
  const { portableFolders } = await import('./tar.ts');
  yield* portableFolders(paths, selection, io, increments);
}

async function* capture(tree: LocalTree): AsyncIterable<Entry> {
  yield await Promise.resolve(tree);
}
