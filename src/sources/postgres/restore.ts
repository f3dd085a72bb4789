import { join } from 'node:path';
import type { Report } from '../../domain/entry.ts';
import type { ReadableSnapshot } from '../../domain/snapshot.ts';
import { shellWord } from '../../domain/shell-word.ts';
import { RespaldoError } from '../../errors.ts';
import type { RestoreTarget, SourceIo } from '../source.ts';
import { readFacts, type Facts } from './facts.ts';
import { completeConfiguration, warnOfArchiving } from './restored-configuration.ts';
import { RestoredFiles } from './restored-files.ts';
import { extractInPlaceTablespaces, extractTablespaces, linkTablespaces } from './restored-tablespaces.ts';

/** They would make the copy a standby of the server that the original followed. */
const STANDBY_SIGNALS = ['standby.signal', 'recovery.signal'];

/** Without it no server starts: it comes last, so that what is only half restored is never taken for a server's data. */
const CONTROL_FILE = '/global/pg_control';

/**
 * Makes a data directory that starts by itself: it recovers from its own `backup_label` and WAL. The files stay as they
 * were captured, but for what ties them to their old place: tablespaces, configuration, standby mode.
 */
export async function restore(snapshot: ReadableSnapshot, into: RestoreTarget, io: SourceIo): Promise<void> {
  const facts = await readFacts(snapshot);
  const data = into.folder;
  await extractTablespaces(facts, snapshot, into);
  await into.extract('/data', data, [CONTROL_FILE]);
  await extractInPlaceTablespaces(facts, into);
  const files = await RestoredFiles.beside(join(data, 'PG_VERSION'));
  await files.privateFolder(data);
  await linkTablespaces(facts, data, files);
  await completeConfiguration(facts, snapshot, data, files, io.report);
  await leaveStandbyMode(data, files, io.report);
  await files.write(join(data, CONTROL_FILE), await readControlFile(snapshot));
  tellDamage(facts, io.report);
  await warnOfArchiving(data, io.report);
  io.report({
    severity: 'note',
    code: 'how-to-start',
    prominent: true,
    message: `PostgreSQL ${facts.serverVersion} was restored; start it as the files’ owner with: pg_ctl -D ${shellWord(data)} start`,
    subject: data,
  });
}

async function leaveStandbyMode(data: string, files: RestoredFiles, report: Report): Promise<void> {
  for (const signal of STANDBY_SIGNALS)
    if (await files.remove(join(data, signal)))
      report({
        severity: 'note',
        code: 'standby-ended',
        prominent: true,
        message: `the backup came from a standby: ${signal} was left out, so that the copy starts as a server of its own`,
        subject: signal,
      });
}

async function readControlFile(snapshot: ReadableSnapshot): Promise<Uint8Array> {
  const bytes = await snapshot.read(`/data${CONTROL_FILE}`);
  if (bytes === undefined)
    throw new RespaldoError('repository-damaged', `snapshot ${snapshot.id} lacks /data${CONTROL_FILE}`, {
      hint: 'Restore another snapshot, and run `respaldo check --read-data`.',
    });
  return bytes;
}

function tellDamage({ damagedFiles }: Facts, report: Report): void {
  for (const file of damagedFiles)
    report({
      severity: 'incomplete',
      code: 'pages-damaged',
      message: `${file} held damaged pages when it was backed up`,
      subject: file,
    });
}
