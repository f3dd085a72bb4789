import { setImmediate } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { ARCHIVER_SCRIPT } from './archiver/recruit.ts';
import { endHeadStart, headStart, takeRecruits } from './head-start.ts';
import { RESTORER_SCRIPT } from './restorer/recruit.ts';
import { usefulWorkers } from './workers/thread.ts';

test('threads that got a head start go to the first who wants them, and the next gets others', async () => {
  headStart('save');
  headStart('save');
  const first = takeRecruits('save');
  const second = takeRecruits('save');
  expect(first).not.toBe(second);
  const taken = [first, second].map((recruits) => recruits.take(ARCHIVER_SCRIPT, 99));
  expect(taken.map((threads) => threads.length)).toEqual([usefulWorkers(), usefulWorkers()]);
  await Promise.all(taken.flat().map((thread) => thread.terminate()));
});

test('threads for one work are not given to another', async () => {
  headStart('save');
  const recruits = takeRecruits('restore');
  expect(recruits.take(ARCHIVER_SCRIPT, 99)).toEqual([]);
  const taken = recruits.take(RESTORER_SCRIPT, 99);
  expect(taken).toHaveLength(usefulWorkers());
  await Promise.all(taken.map((thread) => thread.terminate()));
  await takeRecruits('save').close();
});

test('threads that nobody will want end', async () => {
  const started: Worker[] = [];
  const note = (thread: Worker): void => void started.push(thread);
  process.on('worker', note);
  headStart('restore');
  await setImmediate();
  process.off('worker', note);
  await endHeadStart('restore');
  // What ended has no number any more.
  expect(started.map(({ threadId }) => threadId)).toEqual(Array.from({ length: usefulWorkers() }, () => -1));
});
