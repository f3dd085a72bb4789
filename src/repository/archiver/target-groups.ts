/** Targets in one folder of the snapshot that lie in one local folder: they are read together. Pure. */
import { posix } from 'node:path';
import { compareNames } from '../../domain/name.ts';
import type { TargetFolder } from './targets.ts';

export interface TargetGroup {
  /** The local folder. */
  readonly above: string;
  /** Sorted by bytes. */
  readonly names: readonly string[];
  /** Of the folder, where the targets stand for what it holds; undefined where the user named each of them. */
  readonly device: bigint | undefined;
}

export interface GroupedTargets {
  readonly groups: readonly TargetGroup[];
  /** Targets that have another name in the snapshot, because there are two of that name. */
  readonly renamed: readonly { readonly name: string; readonly local: string }[];
}

/** @param deviceOf the device of the folder that an unnamed target stands for; undefined for one that was named */
export function groupTargets(folder: TargetFolder, deviceOf: (local: string) => bigint | undefined): GroupedTargets {
  const groups = new Map<string, TargetGroup & { readonly names: string[] }>();
  const renamed: { name: string; local: string }[] = [];
  for (const [name, { kind, local }] of folder.children) {
    if (kind !== 'leaf') continue;
    if (posix.basename(local) !== name) {
      renamed.push({ name, local });
      continue;
    }
    const device = deviceOf(local);
    const above = posix.dirname(local);
    const key = `${String(device)} ${above}`;
    const group = groups.get(key) ?? { above, names: [], device };
    groups.set(key, group);
    group.names.push(name);
  }
  for (const { names } of groups.values()) names.sort(compareNames);
  return { groups: [...groups.values()], renamed };
}
