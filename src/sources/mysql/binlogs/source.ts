import type { ServerAddress, Ways } from '../ways.ts';

/** The binary log of a server, in stretches that follow one another. */
export function logOf({ address, password, path }: ServerAddress): Ways {
  return {
    check: async (io) => (await import('./check.ts')).checkBinlogs(address, password, io),
    async *capture(io, options) {
      yield* (await import('./capture.ts')).captureBinlogs(address, password, io, options);
    },
    async *follow(io, options) {
      yield* (await import('./follow.ts')).followBinlogs(address, password, io, options);
    },
    async *portable(io, increments) {
      yield* (await import('./portable.ts')).portableBinlogs(address, password, path, io, increments);
    },
    async *portableOf(snapshot, increments) {
      yield* (await import('./portable.ts')).portableBinlogsOf(snapshot, path, increments);
    },
    whyReadAgain: async (snapshot, increments) =>
      (await import('./continued.ts')).whyReadAgain(snapshot, path, increments),
  };
}
