/** What befalls a process while it works on a repository. */
import fc from 'fast-check';
import type { Store } from '../../src/stores/store.ts';
import { FaultyStore, type Fault, type StoreMethod } from '../fixtures/faulty-store.ts';

export type Mishap =
  | { readonly kind: 'none' }
  /** kill -9 at the nth change: before it, or after it but before its answer. Nothing reaches the store any more. */
  | { readonly kind: 'killed'; readonly at: number; readonly fault: 'before' | 'after' }
  /** The store fails now and then, by these numbers, and the process lives to see it. */
  | { readonly kind: 'faults'; readonly calls: readonly number[]; readonly fault: Exclude<Fault, object> };

const NONE: Mishap = { kind: 'none' };

export const mishap: fc.Arbitrary<Mishap> = fc.oneof(
  { weight: 6, arbitrary: fc.constant(NONE) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('killed' as const),
      at: fc.oneof(fc.nat(3), fc.nat(14)),
      fault: fc.constantFrom('before' as const, 'after' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('faults' as const),
      calls: fc.uniqueArray(fc.nat(60), { minLength: 1, maxLength: 6 }),
      fault: fc.constantFrom('before' as const, 'midway' as const, 'after' as const),
    }),
  },
);

/**
 * The store as the process sees it.
 * @param isSlow every answer takes a turn, so that two processes get into each other's way
 */
export function suffering(store: Store, mishap: Mishap, isSlow: boolean): Store {
  const slow: Fault | undefined = isSlow ? { delay: () => new Promise((resolve) => setImmediate(resolve)) } : undefined;
  let calls = 0;
  let changes = 0;
  return new FaultyStore(store, (method): Fault | undefined => {
    if (mishap.kind === 'none') return slow;
    if (mishap.kind === 'faults') return mishap.calls.includes(calls++) ? mishap.fault : slow;
    if (isChange(method)) changes += 1;
    if (changes <= mishap.at) return slow;
    return changes === mishap.at + 1 && isChange(method) ? mishap.fault : 'before';
  });
}

function isChange(method: StoreMethod): boolean {
  return method === 'write' || method === 'remove';
}
