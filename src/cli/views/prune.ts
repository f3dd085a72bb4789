import type { PrunePlan } from '../../repository/repository.ts';
import { count, formatBytes, formatPercent } from '../units.ts';

/** What a prune is going to do. */
export function prunePlanLines({ bytes, blobs, ...packs }: PrunePlan): string[] {
  const { keepPacks, repackPacks, removePacks, unreferencedPacks } = packs;
  const remaining = bytes.total - bytes.freed;
  return [
    `used      ${formatBytes(bytes.used)} in ${count(blobs.used, 'blob')}`,
    `unused    ${formatBytes(bytes.unused)} in ${count(blobs.unused + blobs.duplicate, 'blob')}`,
    `keep      ${count(keepPacks, 'pack')}`,
    `repack    ${count(repackPacks.length, 'pack')}, ${formatBytes(bytes.repack)}`,
    `remove    ${count(removePacks.length + unreferencedPacks.length, 'pack')}, ${formatBytes(bytes.remove)}`,
    `to free   ${formatBytes(bytes.freed)}; left unused ${formatBytes(bytes.unusedAfter)} (${formatPercent(bytes.unusedAfter, remaining)})`,
  ];
}

/** As newer restics' `prune --json` tells it, as far as the plan knows. */
export function pruneMessage({ bytes, blobs, ...packs }: PrunePlan): Record<string, unknown> {
  const { keepPacks, repackPacks, removePacks, unreferencedPacks } = packs;
  const removed = removePacks.length + unreferencedPacks.length;
  return {
    message_type: 'summary',
    blobs: { ...blobs, total: blobs.used + blobs.unused + blobs.duplicate },
    bytes: {
      used: bytes.used,
      unused: bytes.unused,
      total: bytes.total,
      repack: bytes.repack,
      remove: bytes.remove,
      remove_total: bytes.freed,
      remaining: bytes.total - bytes.freed,
      remaining_unused: bytes.unusedAfter,
    },
    packfiles: {
      unreferenced: unreferencedPacks.length,
      total: keepPacks + repackPacks.length + removed,
      keep: keepPacks,
      repack: repackPacks.length,
      remove: removePacks.length,
      remove_total: removed,
    },
  };
}
