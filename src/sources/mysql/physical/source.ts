import type { ServerAddress, Ways } from '../ways.ts';

/** All files of a MariaDB server. */
export function filesOf({ address, password, path }: ServerAddress): Ways {
  return {
    check: async (io) => (await import('./check.ts')).checkFiles(address, password, io),
    async *capture(io, options) {
      yield* (await import('./capture.ts')).captureFiles(address, password, io, options);
    },
    async *portable(io, increments) {
      yield* (await import('./portable.ts')).portableFiles(address, password, path, io, increments);
    },
    async *portableOf(snapshot, increments) {
      yield* (await import('./portable.ts')).portableFilesOf(snapshot, path, increments);
    },
  };
}
