import type { ProgressView } from '../../src/cli/progress.ts';
import { formatBytes, formatDuration, formatPercent } from '../../src/cli/units.ts';
import { paceText } from '../../src/cli/views/pace.ts';

const WIDTH = 30;

/** A bar over the bytes of a backup or a restore. @param done how many of them are done. */
export function progressBar<State extends { readonly bytesTotal: number }>(
  done: (state: State) => number,
): ProgressView<State> {
  return {
    bytes: (state) => ({ done: done(state), total: state.bytesTotal }),
    line: (state, pace) => {
      const share = state.bytesTotal > 0 ? Math.min(1, done(state) / state.bytesTotal) : 0;
      const filled = Math.round(WIDTH * share);
      const bar = '█'.repeat(filled) + '░'.repeat(WIDTH - filled);
      return `    [${formatDuration(pace.elapsed())}] ${bar} ${formatPercent(share, 1)}  ${formatBytes(done(state))}${paceText(pace)}`;
    },
  };
}
