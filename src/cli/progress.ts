import type { Clock } from '../clock.ts';
import { fitted } from './fitted.ts';
import type { Output } from './output.ts';
import { Pace } from './pace.ts';

/** How the progress of one verb is told: to people in a line, to programs in restic's message. */
export interface ProgressView<State> {
  /** Bytes done and, where known, bytes in all: what rate and remaining time are made of. */
  bytes(state: State): { readonly done: number; readonly total: number };
  line(state: State, pace: Pace): string;
  message?(state: State, pace: Pace): unknown;
}

export interface Progress<State> extends Disposable {
  /** What is shown at the next tick. Cheap: may be called for every file. */
  readonly update: (state: State) => void;
  /** Whether anybody sees it: what is only done for that may then be left out. */
  readonly shown: boolean;
  /** Milliseconds since the start. */
  readonly elapsed: () => number;
}

/** Redraws of the status line, and messages under `--json`, per second. */
const TERMINAL_RATE = 5;
const MESSAGE_RATE = 10;

/**
 * Shows how far a verb has come until it is disposed of: a live line on a terminal, messages under `--json`. In a
 * pipe and under `--quiet` nothing, unless RESPALDO_PROGRESS_FPS (or restic's RESTIC_PROGRESS_FPS) asks for it.
 */
export function showProgress<State>(output: Output, clock: Clock, view: ProgressView<State>): Progress<State> {
  const pace = new Pace(clock);
  let state: State | undefined;

  const show = (): void => {
    if (state === undefined) return;
    const { done, total } = view.bytes(state);
    pace.observe(done, total);
    if (output.mode.json) {
      if (view.message !== undefined) output.json(view.message(state, pace));
    } else if (output.interactive) output.status(fitted(view.line(state, pace), output.columns - 1));
    else output.error(view.line(state, pace));
  };

  const rate = ticksPerSecond(output);
  const timer = rate > 0 ? setInterval(show, 1000 / rate).unref() : undefined;
  return {
    update: (next) => (state = next),
    shown: timer !== undefined,
    elapsed: () => pace.elapsed(),
    [Symbol.dispose]: () => {
      clearInterval(timer);
      if (output.interactive) output.status('');
    },
  };
}

function ticksPerSecond(output: Output): number {
  const wanted = Number(process.env.RESPALDO_PROGRESS_FPS ?? process.env.RESTIC_PROGRESS_FPS);
  if (wanted > 0) return Math.min(wanted, 60);
  if (output.mode.quiet) return 0;
  if (output.mode.json) return MESSAGE_RATE;
  return output.interactive ? TERMINAL_RATE : 0;
}
