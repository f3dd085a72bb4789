import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { shellWord } from '../../../domain/shell-word.ts';
import type { ReadableSnapshot } from '../../../domain/snapshot.ts';
import { errnoOf, RespaldoError } from '../../../errors.ts';
import type { RestoreTarget, SourceIo } from '../../source.ts';
import { findBackupProgram } from './backup-program.ts';
import { isChain } from './base.ts';
import { readPhysicalFacts, type PhysicalFacts } from './facts.ts';
import { prepare, requireSameSeries, type Workshop } from './prepare.ts';
import { giveTo, makeDurable, type Owner } from './settle.ts';

/** What is not ready lies here: nobody takes it for a server's data. */
export const UNFINISHED = '.respaldo-unfinished';
/** Without it no server starts on the files: it comes last. */
const LAST = 'ibdata1';
/** What a new file system has in its root. */
const ALWAYS_THERE = 'lost+found';

/** Makes a data directory that a server of the same series starts on, in the folder itself. */
export async function restoreFiles(snapshot: ReadableSnapshot, into: RestoreTarget, io: SourceIo): Promise<void> {
  const facts = await readPhysicalFacts(snapshot);
  const { runtime, signal } = io;
  const program = await findBackupProgram(runtime, signal);
  const owner = await assemble(facts, into, { runtime, program, signal, command: (argv) => ({ argv }) });
  if (process.getuid?.() === 0) await giveTo(owner, into.folder);
  await makeDurable(into.folder);
  const words = ['mariadbd', ...(await necessaryOptions(into.folder)), `--datadir=${into.folder}`];
  io.report({
    severity: 'note',
    code: 'how-to-start',
    prominent: true,
    message: `MariaDB ${facts.serverVersion} was restored; start it as the files’ owner with: ${words.map(shellWord).join(' ')}`,
    subject: into.folder,
  });
}

/**
 * Puts the copies of a snapshot together, in order, and leaves in the folder what a server starts on.
 * @returns whose files they were
 * @throws RespaldoError `target-not-empty`, `source-damaged`, `tool-missing`, and what reading the snapshot throws
 */
export async function assemble(facts: PhysicalFacts, into: RestoreTarget, shop: Workshop): Promise<Owner> {
  requireSameSeries(shop.program, facts.serverVersion, shop.runtime.place);
  if (!isChain(facts.chain))
    throw new RespaldoError('source-damaged', 'the copies in the snapshot do not build upon each other', {
      hint: 'Restore another snapshot.',
    });
  await requireEmpty(into.folder);
  const unfinished = join(into.folder, UNFINISHED);
  const [data, increment] = [join(unfinished, 'data'), join(unfinished, 'increment')];
  await mkdir(unfinished, { recursive: true, mode: 0o700 });
  let owner: Owner | undefined;
  for (const { folder } of facts.chain) {
    const place = owner === undefined ? data : increment;
    await into.extract(folder, place);
    owner ??= await stat(join(place, LAST));
    if (shop.user !== undefined) await giveTo(shop.user, into.folder);
    await prepare(data, place === data ? undefined : increment, shop);
    await rm(increment, { recursive: true, force: true });
  }
  await moveUp(data, into.folder);
  await rm(unfinished, { recursive: true });
  return owner ?? (await stat(into.folder));
}

/** Options that a server needs to understand the files, where they are not what it takes by itself. */
export async function necessaryOptions(data: string): Promise<readonly string[]> {
  const text = await readFile(join(data, 'backup-my.cnf'), 'utf8');
  return Object.entries(USUAL).flatMap(([name, usual]) => {
    const [, value] = new RegExp(`^${name}=(.*)$`, 'm').exec(text) ?? [];
    return value === undefined || value === usual ? [] : [`--${name.replaceAll('_', '-')}=${value}`];
  });
}

const USUAL = { innodb_page_size: '16384', innodb_data_file_path: 'ibdata1:12M:autoextend' };

async function requireEmpty(folder: string): Promise<void> {
  const there = await readdir(folder).catch((error: unknown): string[] => {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  });
  if (there.every((name) => name === ALWAYS_THERE)) return;
  const isOurs = there.includes(UNFINISHED);
  throw new RespaldoError(
    'target-not-empty',
    `${folder} is not empty${isOurs ? ': it holds an unfinished restore' : ''}`,
    {
      hint: isOurs
        ? 'Remove what is in it, if no other restore is at work there, and begin anew.'
        : 'Name a folder that does not exist yet, or an empty one, by --target.',
    },
  );
}

/** All that is in a folder into another one, and last of all what makes a server start on it. */
export async function moveUp(from: string, to: string): Promise<void> {
  const names = await readdir(from);
  for (const name of [...names.filter((one) => one !== LAST), LAST]) await rename(join(from, name), join(to, name));
}
