import { Access } from '../access.ts';
import type { ServerAddress, Ways } from '../ways.ts';

/** Databases as dumps. */
export function dumpsOf({ address, password }: ServerAddress): Ways {
  const access = new Access(address, password);
  return {
    check: async (io) => (await import('./check.ts')).checkDumps(address, access, io),
    async *capture(io, options) {
      yield* (await import('./capture.ts')).captureDumps(address, access, io, options);
    },
    async *portable(io) {
      yield* (await import('./portable.ts')).portableDumps(address, access, io);
    },
    async *portableOf(snapshot) {
      yield* (await import('./portable.ts')).portableDumpsOf(snapshot);
    },
  };
}
