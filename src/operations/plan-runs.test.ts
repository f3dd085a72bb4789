import { expect, it } from 'vitest';
import { RespaldoError } from '../errors.ts';
import { runPlans } from './plan-runs.ts';

/** Runs plans that end when their turn is called, and tells what happened. */
function running(dependencies: Record<string, readonly string[]>, jobs: number, signal = new AbortController().signal) {
  const story: string[] = [];
  const turns = new Map<string, PromiseWithResolvers<string>>();
  const plans = Object.keys(dependencies);
  const ends = runPlans(
    {
      plans,
      dependencies: new Map(Object.entries(dependencies)),
      jobs,
      run: (plan) => {
        story.push(`+${plan}`);
        const turn = Promise.withResolvers<string>();
        turns.set(plan, turn);
        return turn.promise;
      },
      onEnd: (plan, { state }) => story.push(`${state} ${plan}`),
    },
    signal,
  );
  const settle = async (plan: string, error?: Error): Promise<void> => {
    if (error === undefined) turns.get(plan)?.resolve(plan);
    else turns.get(plan)?.reject(error);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { story, ends, settle };
}

const none = { a: [], b: [], c: [] };

it('runs as many at once as it may, in the order in which they were given', async () => {
  const { story, ends, settle } = running(none, 2);
  expect(story).toEqual(['+a', '+b']);
  await settle('b');
  expect(story.slice(2)).toEqual(['done b', '+c']);
  await settle('c');
  await settle('a');
  expect([...(await ends).keys()]).toEqual(['a', 'b', 'c']);
});

it('lets one that fails stop only who depends on it', async () => {
  const { story, ends, settle } = running({ a: [], b: ['a'], c: ['b'], d: [] }, 1);
  await settle('a', new RespaldoError('source-lost', 'gone'));
  await settle('d');
  expect(story).toEqual(['+a', 'failed a', 'skipped b', '+d', 'skipped c', 'done d']);
  expect((await ends).get('c')).toEqual({ state: 'skipped', because: 'b' });
});

it('begins no more after an abort, and waits for those that run', async () => {
  const controller = new AbortController();
  const { story, ends, settle } = running(none, 2, controller.signal);
  controller.abort();
  await settle('a', new RespaldoError('cancelled', 'interrupted'));
  await settle('b');
  await ends;
  expect(story).toEqual(['+a', '+b', 'failed a', 'done b', 'not-begun c']);
});

it('ends where there is nothing to run', async () => {
  expect((await running({}, 2).ends).size).toBe(0);
});
