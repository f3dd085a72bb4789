import { readFile, readlink } from 'node:fs/promises';
import path from 'node:path';

/**
 * Whether a process lives in a container: it counts processes of its own, or its group of resources is an engine's.
 * @param root where the kernel tells of processes: `/proc`
 */
export async function isContained(root: string, pid: number): Promise<boolean> {
  const [ours, theirs] = await Promise.all(
    ['self', String(pid)].map((who) => readlink(path.join(root, who, 'ns/pid')).catch(() => undefined)),
  );
  if (ours !== undefined && theirs !== undefined) return ours !== theirs;
  const groups = await readFile(path.join(root, String(pid), 'cgroup'), 'utf8').catch(() => '');
  return /docker|libpod|containerd|kubepods|crio|lxc/.test(groups);
}
