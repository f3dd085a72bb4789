/** Where the journal of stopped containers lies, and who of those that are written down still lives. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import type { StoppedJournal } from './journal.ts';

const FOLDER = 'stopped';

/** @param stateFolder where Respaldo keeps what it has to remember between runs. Nothing is made there yet. */
export async function openJournal(stateFolder: string, clock: Clock): Promise<StoppedJournal> {
  const { FolderJournal } = await import('./folder-journal.ts');
  return new FolderJournal(join(stateFolder, FOLDER), clock);
}

/** Whether there is anything in it: quick, since every command asks. */
export async function isJournalEmpty(stateFolder: string): Promise<boolean> {
  const names = await readdir(join(stateFolder, FOLDER)).catch(() => []);
  return !names.some((name) => name.endsWith('.json'));
}

/** This process, told from every other one of this machine before and after it; undefined where that cannot be told. */
export async function thisProcess(): Promise<string | undefined> {
  const { ourselves, ownerText } = await import('./owner.ts');
  return ourselves().then(ownerText, () => undefined);
}

/** Whether the process that told this of itself still runs. One of a container that cannot be seen from here does not. */
export async function isRunning(process: string): Promise<boolean> {
  const { parseOwner, standingOf } = await import('./owner.ts');
  const owner = parseOwner(process);
  if (owner === undefined) return false;
  return standingOf(owner).then(
    (standing) => standing === 'alive',
    () => false,
  );
}

/** This process as who writes files that others may come upon; undefined where it cannot be told from others. */
export async function thisWriter(): Promise<
  { readonly mark: string; isGone(mark: string): Promise<boolean> } | undefined
> {
  const { hasEnded, ourselves, ownerMark } = await import('./owner.ts');
  const isGone = (mark: string): Promise<boolean> => hasEnded(mark).catch(() => false);
  return ourselves().then(
    (owner) => ({ mark: ownerMark(owner), isGone }),
    () => undefined,
  );
}
