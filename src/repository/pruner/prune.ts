import type { RepositoryContext } from '../context.ts';
import type { Id } from '../format/id.ts';
import type { PrunePlan, PrunePolicy } from '../repository.ts';
import type { Guard } from '../storage/held-lock.ts';
import { withLock } from '../storage/locks.ts';
import { packKey } from '../storage/objects.ts';
import { inParallel } from '../storage/parallel.ts';
import { type DetailedPlan, planPrune } from './plan.ts';
import { repack } from './repack.ts';
import { rewriteIndex } from './rewrite-index.ts';

const REMOVALS_AT_ONCE = 8;

/** See {@link Repository.prune}. */
export function prune(
  context: RepositoryContext,
  policy: PrunePolicy,
  onPlan: (plan: PrunePlan) => boolean | Promise<boolean>,
  signal: AbortSignal,
): Promise<PrunePlan> {
  const { objects, clock } = context;
  const planOnly = policy.planOnly === true || policy.without !== undefined;
  return withLock(objects, { exclusive: true, readOnly: planOnly, clock, signal }, async (signal, lock) => {
    const plan = await planPrune(context, policy, signal);
    if ((await onPlan(plan.summary)) && !planOnly) await execute(context, plan, policy, lock, signal);
    return plan.summary;
  });
}

/**
 * In an order that may be cut off anywhere: nothing is removed before what replaces it is durable, and what is then
 * left over is found and removed by the next prune.
 */
async function execute(
  context: RepositoryContext,
  plan: DetailedPlan,
  { compress = false }: PrunePolicy,
  lock: Guard,
  signal: AbortSignal,
): Promise<void> {
  const { objects } = context;
  const { index, kept, choice, summary, present } = plan;
  // They are in no index: nobody needs them, and their room may be needed now.
  await lock.confirm();
  await removePacks(context, summary.unreferencedPacks, signal);
  await context.store.sweep?.(signal);

  const repacked = new Set(choice.repack.map(({ pack }) => pack));
  const added = await repack(context, index, kept, repacked, compress, signal);
  const dropped = new Set([...choice.repack, ...choice.remove].map(({ pack }) => pack));
  const obsolete = await rewriteIndex(objects, index, dropped, added, signal);

  await lock.confirm();
  await inAnyOrder(obsolete, (id) => objects.remove('index', id, signal));
  await lock.confirm();
  const needless = [...summary.removePacks, ...summary.repackPacks].filter((id) => present.has(id));
  await removePacks(context, needless, signal);
}

function removePacks({ nearby }: RepositoryContext, ids: readonly Id[], signal: AbortSignal): Promise<void> {
  return inAnyOrder(ids, (id) => nearby.remove(packKey(id), signal));
}

async function inAnyOrder(ids: readonly Id[], remove: (id: Id) => Promise<void>): Promise<void> {
  for await (const _ of inParallel(ids, REMOVALS_AT_ONCE, remove));
}
