import type { SourceOptions } from '../sources/source.ts';
import type { AddressChecks } from './references.ts';
import { complaintFrom, complaintOf } from './written.ts';

/**
 * Checks of addresses by those who understand them. Opening a source or a store only reads its address.
 * @param folder where relative addresses start from: an absolute path.
 */
export function addressChecks(folder: string): AddressChecks {
  const options: SourceOptions = {
    workingDirectory: folder,
    selection: { exclude: [], oneFileSystem: false, excludeCaches: false },
    acceptDamagedPages: false,
  };
  return {
    source: async (address) => {
      const { openSource } = await import('../sources/index.ts');
      return complaintOf(() => openSource(address, options));
    },
    store: async (address, use) => {
      const { openStore } = await import('../stores/index.ts');
      try {
        const store = await openStore(address, { workingDirectory: folder, mayLock: use === 'archive' });
        await store.close();
        return undefined;
      } catch (error) {
        return complaintFrom(error);
      }
    },
  };
}
