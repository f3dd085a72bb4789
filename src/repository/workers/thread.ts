import { flushCompileCache } from 'node:module';
import { availableParallelism } from 'node:os';
import { Worker, type ResourceLimits } from 'node:worker_threads';
import { returnLargeBuffers } from './memory.ts';

/**
 * Workers hold their large data outside the heap. A small young generation, and a bound that makes the collector work
 * in smaller steps, keep what garbage takes meanwhile to some tens of megabytes a thread.
 */
const HEAP_LIMITS: ResourceLimits = { maxYoungGenerationSizeMb: 6, maxOldGenerationSizeMb: 512 };

/** More threads than this cost memory and win little: the store and the disk are the limit then. */
const MOST_WORKERS = 4;

export function usefulWorkers(): number {
  return Math.max(1, Math.min(availableParallelism(), MOST_WORKERS));
}

/** The worker script `name` beside the module at `importMetaUrl`: `.ts` in a checkout, `.cjs` once compiled. */
export function workerScript(importMetaUrl: string, name: string): URL {
  return new URL(`./${name}.${importMetaUrl.endsWith('.ts') ? 'ts' : 'cjs'}`, importMetaUrl);
}

/** A thread that loads its script, and waits to be told what to begin with. */
export function startThread(script: URL): Worker {
  // In a checkout, the thread then finds most modules without their types already.
  if (script.pathname.endsWith('.ts')) flushCompileCache();
  returnLargeBuffers();
  return new Worker(script, { resourceLimits: HEAP_LIMITS });
}
