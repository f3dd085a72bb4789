import { RespaldoError } from '../errors.ts';
import type { ArchivedFile } from './archive.ts';

/**
 * The files that it takes to restore one, in the order in which they are put back: from the one that holds everything to
 * the one that is wanted, which is the only one of most.
 * @param files of the same archive
 * @throws RespaldoError `source-damaged` that says which one is missing, or not whole
 */
export function chainOf<T extends ArchivedFile>(wanted: T, files: readonly T[]): readonly T[] {
  const links: T[] = [wanted];
  for (let file = wanted; file.manifest.chain !== undefined && file.manifest.chain.level > 0;) {
    const { id, level, parent } = file.manifest.chain;
    const before = files.find(
      ({ manifest: { chain, run } }) => chain?.id === id && chain.level === level - 1 && run === parent,
    );
    if (before === undefined)
      throw broken(wanted, `the one of level ${String(level - 1)} before ${file.key} is not there`);
    if (before.state !== 'whole') throw broken(wanted, `${before.key}, of level ${String(level - 1)}, is not whole`);
    links.unshift(before);
    file = before;
  }
  return links;
}

function broken({ key }: ArchivedFile, why: string): RespaldoError {
  return new RespaldoError('source-damaged', `${key} builds upon earlier files, and the chain is broken: ${why}`, {
    hint: 'Restore a file of another archive, or an older one: respaldo archive list',
  });
}
