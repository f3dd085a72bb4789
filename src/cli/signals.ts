import { closeSync, openSync } from 'node:fs';
import type { Clock } from '../clock.ts';
import { RespaldoError } from '../errors.ts';

/**
 * npx and the starter of bin/ pass a signal on that the terminal has sent to the whole group already: what follows so
 * closely is the same Ctrl-C.
 */
const SAME_MS = 400;

const SIGNALS = { SIGINT: 'by Ctrl-C', SIGTERM: 'by SIGTERM' } as const;

/**
 * The first SIGINT or SIGTERM, or the loss of the terminal, aborts the signal that is returned, so that work ends and
 * cleans up; the second one ends the process at once. So does the end of the process that started this one over a
 * channel.
 *
 * A SIGHUP alone says little: `restic unlock` sends it to whoever holds a lock, to learn whether he lives. It counts
 * only where there was a terminal and now is none.
 */
export function abortOnSignals(clock: Clock, onAbort: () => void): AbortSignal {
  const controller = new AbortController();
  let firstAt: number | undefined;

  const stop = (how: string): void => {
    if (firstAt === undefined) {
      firstAt = clock.monotonic();
      onAbort();
      controller.abort(new RespaldoError('cancelled', `interrupted ${how}`));
    } else if (clock.monotonic() - firstAt > SAME_MS) {
      endAtOnce();
    }
  };

  for (const [signal, how] of Object.entries(SIGNALS)) process.on(signal, () => stop(how));
  const hadTerminal = hasTerminal();
  process.on('SIGHUP', () => {
    if (hadTerminal && !hasTerminal()) stop('because the terminal was closed');
  });
  if (process.channel) {
    process.on('disconnect', () => stop('because the process that started it ended'));
    process.channel.unref();
  }
  return controller.signal;
}

/** Whether this process belongs to a terminal that is still there. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}

/**
 * By the signal itself, which shells report as 130: process.exit() would wait for what a thread is stuck in (a file
 * system that does not answer, a named pipe that nobody writes to).
 */
function endAtOnce(): void {
  process.removeAllListeners('SIGINT');
  process.kill(process.pid, 'SIGINT');
}
