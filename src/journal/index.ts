/** Where the journal of stopped containers lies. */
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
