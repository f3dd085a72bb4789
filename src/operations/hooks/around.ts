import {
  stagesAfter,
  stopsAtFailure,
  type Hook,
  type Hooks,
  type HookStage,
  type RunState,
} from '../../domain/hook.ts';
import type { RunSoFar } from '../../domain/run-facts.ts';
import { throwIfAborted, toRespaldoError, type RespaldoError } from '../../errors.ts';

export interface AroundPorts {
  /** @throws RespaldoError `hook-failed`, `cancelled` */
  readonly perform: (hook: Hook, stage: HookStage, run: RunSoFar, signal: AbortSignal) => Promise<void>;
  /** Told of each hook after the backup that failed: the run goes on to its end. */
  readonly onFailure: (error: RespaldoError) => void;
}

/** What the work is, and what is known of it: asked for again at each stage. */
export interface HookedWork {
  readonly soFar: () => Omit<RunSoFar, 'state' | 'error'>;
  readonly work: () => Promise<'succeeded' | 'incomplete'>;
}

/**
 * Does the work with hooks around it, as `try`, `catch` and `finally` would. Where a hook before it fails the work is not
 * begun, and counts as failed; one that fails later makes the run incomplete, and takes nothing back. What follows the
 * work is not stopped by Ctrl-C, only by its time limit.
 * @throws what the work throws, after the hooks that belong to that; RespaldoError `hook-failed`
 */
export async function withHooks(
  hooks: Hooks,
  { soFar, work }: HookedWork,
  ports: AroundPorts,
  signal: AbortSignal,
): Promise<'succeeded' | 'incomplete'> {
  let state: RunState = 'failed';
  let error: RespaldoError | undefined;
  const unstopped = new AbortController().signal;

  const stage = async (name: HookStage): Promise<void> => {
    for (const hook of hooks[name]) {
      const now: RunSoFar = { ...soFar(), state, ...(error && { error }) };
      try {
        await ports.perform(hook, name, now, unstopped);
      } catch (thrown) {
        const failure = toRespaldoError(thrown);
        ports.onFailure(failure);
        error ??= failure;
        if (state === 'succeeded') state = 'incomplete';
        if (stopsAtFailure(name)) return;
      }
    }
  };

  try {
    for (const hook of hooks.before) await ports.perform(hook, 'before', { ...soFar(), state: 'running' }, signal);
    throwIfAborted(signal);
    state = await work();
  } catch (thrown) {
    error = toRespaldoError(thrown);
    state = signal.aborted || error.code === 'cancelled' ? 'cancelled' : 'failed';
  }
  const thrown = error;
  await followed(state);
  if (thrown !== undefined) throw thrown;
  return state === 'succeeded' ? 'succeeded' : 'incomplete';

  /** A hook that fails after a success changes what follows. */
  async function followed(ended: RunState): Promise<void> {
    const [first, ...rest] = stagesAfter(ended);
    if (first === undefined) return;
    await stage(first);
    if (first === 'after' && state === 'incomplete') return followed(state);
    for (const name of rest) await stage(name);
  }
}
