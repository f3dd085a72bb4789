import { createHash } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import { z } from 'zod';

/** A process, told from every other one that has its number before or after it. */
export const ownerSchema = z.strictObject({
  pid: z.int(),
  /** When it began: ticks since the machine was started. */
  began: z.string(),
  /** Which start of the machine that was. */
  boot: z.string(),
  /** Where the number is valid: a container has numbers of its own. */
  namespace: z.string(),
});
export type Owner = z.infer<typeof ownerSchema>;

/** One of them in a text, for others to keep. */
export function ownerText(owner: Owner): string {
  return JSON.stringify(owner);
}

/** Of what {@link ownerText} has written; undefined: it is something else. */
export function parseOwner(text: string): Owner | undefined {
  try {
    return ownerSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** The same in small letters and digits, for names of files: where it runs is a digest. */
export function ownerMark({ pid, began, boot, namespace }: Owner): string {
  return `p${String(pid)}b${began}m${digest(boot, namespace)}`;
}

/** Whether the process of a mark has certainly ended: nobody knows of those elsewhere, or where some are hidden. */
export async function hasEnded(mark: string): Promise<boolean> {
  const [, pid, began, place] = /^p(\d+)b(\d+)m([0-9a-f]+)$/.exec(mark) ?? [];
  if (pid === undefined || place !== digest(await bootId(), await pidNamespace())) return false;
  const seesOthers = (await beginOf(1)) !== undefined;
  return seesOthers && (await beginOf(Number(pid))) !== began;
}

function digest(boot: string, namespace: string): string {
  return createHash('sha256').update(`${boot} ${namespace}`).digest('hex').slice(0, 12);
}

export async function ourselves(): Promise<Owner> {
  const [began = '', boot, namespace] = await Promise.all([beginOf(process.pid), bootId(), pidNamespace()]);
  return { pid: process.pid, began, boot, namespace };
}

/** `unknown`: it belongs, or belonged, to a container. */
export async function standingOf(owner: Owner): Promise<'alive' | 'dead' | 'unknown'> {
  if (owner.boot !== (await bootId())) return 'dead';
  if (owner.namespace !== (await pidNamespace())) return 'unknown';
  return (await beginOf(owner.pid)) === owner.began ? 'alive' : 'dead';
}

export async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'latin1')).trim();
}

function pidNamespace(): Promise<string> {
  return readlink('/proc/self/ns/pid');
}

/**
 * The 22nd word of `/proc/<pid>/stat`, whose second one, the name in parentheses, may hold anything. A process that has
 * ended stays listed until its parent has asked for its exit code, which not every first process of a container does.
 */
async function beginOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
  const words = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const isEnding = ENDED.includes(words[0] ?? '') || (Number(words[6]) & EXITING) !== 0;
  return isEnding ? undefined : words[19];
}

/** Zombie, and dead. */
const ENDED: readonly string[] = ['Z', 'X', 'x'];
/** The kernel's PF_EXITING: nothing of the program is done any more, only its memory is given back. */
const EXITING = 0x4;
