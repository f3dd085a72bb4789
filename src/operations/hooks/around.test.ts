import { expect, it } from 'vitest';
import { HOOK_STAGES, type Hook, type Hooks, type HookStage } from '../../domain/hook.ts';
import { RespaldoError } from '../../errors.ts';
import { withHooks } from './around.ts';

const soFar = () => ({
  ...{ plan: 'shop', run: '1', host: 'h', startedAt: new Date(0) },
  ...{ destinations: [], snapshots: ['aa'], bytesProcessed: 1, bytesAdded: 1 },
});

/** Two hooks of each stage, told by their time limits. */
const hook = (timeoutSeconds: number): Hook => ({
  action: { kind: 'command', argv: ['true'], env: {}, isShell: false },
  timeoutSeconds,
});
const hooks = Object.fromEntries(HOOK_STAGES.map((stage) => [stage, [hook(1), hook(2)]])) as unknown as Hooks;

/** What happened, in its order: `after 1 succeeded`. @param broken the hooks that fail */
async function happened(broken: readonly string[], ending: 'succeeded' | 'incomplete' | RespaldoError, abort = false) {
  const story: string[] = [];
  const controller = new AbortController();
  const told: string[] = [];
  const run = withHooks(
    hooks,
    {
      soFar,
      work: async () => {
        story.push('work');
        if (abort) controller.abort(new RespaldoError('cancelled', 'interrupted'));
        if (ending instanceof RespaldoError) throw ending;
        return ending;
      },
    },
    {
      perform: async ({ timeoutSeconds }, stage: HookStage, { state, error }, signal) => {
        const name = `${stage} ${String(timeoutSeconds)}`;
        const why = error === undefined ? '' : ` ${error.code}`;
        story.push(`${name} ${state}${why}${signal.aborted ? ' aborted' : ''}`);
        if (broken.includes(name)) throw new RespaldoError('hook-failed', name);
      },
      onFailure: ({ message }) => told.push(message),
    },
    controller.signal,
  );
  const result = await run.catch((error: unknown) => (error instanceof RespaldoError ? error.message : error));
  return { story, told, result };
}

const before = ['before 1 running', 'before 2 running'];

it('surround a success', async () => {
  expect(await happened([], 'succeeded')).toEqual({
    story: [...before, 'work', 'after 1 succeeded', 'after 2 succeeded', 'finally 1 succeeded', 'finally 2 succeeded'],
    told: [],
    result: 'succeeded',
  });
});

it('tell of a failure, which stays the error', async () => {
  expect(await happened([], new RespaldoError('source-lost', 'gone'))).toEqual({
    story: [
      ...before,
      'work',
      'on-failure 1 failed source-lost',
      'on-failure 2 failed source-lost',
      'finally 1 failed source-lost',
      'finally 2 failed source-lost',
    ],
    told: [],
    result: 'gone',
  });
});

it('take what is incomplete for no success', async () => {
  const { story, result } = await happened([], 'incomplete');
  expect(story).toContain('on-failure 1 incomplete');
  expect(story.join()).not.toContain('after');
  expect(result).toBe('incomplete');
});

it('begin nothing where one before it fails, and tidy up', async () => {
  const { story, result } = await happened(['before 1'], 'succeeded');
  expect(story).toEqual([
    'before 1 running',
    'on-failure 1 failed hook-failed',
    'on-failure 2 failed hook-failed',
    'finally 1 failed hook-failed',
    'finally 2 failed hook-failed',
  ]);
  expect(result).toBe('before 1');
});

it('make a run incomplete that one after it spoils, which is told as a failure', async () => {
  const { story, told, result } = await happened(['after 1'], 'succeeded');
  expect(story.slice(3)).toEqual([
    'after 1 succeeded',
    'on-failure 1 incomplete hook-failed',
    'on-failure 2 incomplete hook-failed',
    'finally 1 incomplete hook-failed',
    'finally 2 incomplete hook-failed',
  ]);
  expect(told).toEqual(['after 1']);
  expect(result).toBe('incomplete');
});

it('are all tried at the end, whichever of them fails', async () => {
  const { story, told, result } = await happened(['finally 1', 'finally 2'], 'succeeded');
  expect(story.slice(-2)).toEqual(['finally 1 succeeded', 'finally 2 incomplete hook-failed']);
  expect(told).toEqual(['finally 1', 'finally 2']);
  expect(result).toBe('incomplete');
});

it('hide no failure behind their own', async () => {
  const { told, result } = await happened(['on-failure 1', 'finally 2'], new RespaldoError('source-lost', 'gone'));
  expect(told).toEqual(['on-failure 1', 'finally 2']);
  expect(result).toBe('gone');
});

it('come to their end after Ctrl-C, those that tidy up alone', async () => {
  const { story, result } = await happened([], new RespaldoError('cancelled', 'interrupted'), true);
  expect(story.slice(3)).toEqual(['finally 1 cancelled cancelled', 'finally 2 cancelled cancelled']);
  expect(result).toBe('interrupted');
});
