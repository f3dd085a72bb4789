import { join } from 'node:path';
import type { ReadableSnapshot } from '../../domain/snapshot.ts';
import type { RestoreTarget, SourceIo } from '../source.ts';
import { readFacts } from './facts.ts';
import { completeConfiguration } from './restored-configuration.ts';
import { RestoredFiles } from './restored-files.ts';
import { restoreTablespaces } from './restored-tablespaces.ts';

/** They would make the copy a standby of the server that the original followed. */
const STANDBY_SIGNALS = ['standby.signal', 'recovery.signal'];

/**
 * Makes a data directory that starts by itself: it recovers from its own `backup_label` and WAL. The files stay as they
 * were captured, but for what ties them to their old place: tablespaces, configuration, standby mode.
 */
export async function restore(snapshot: ReadableSnapshot, into: RestoreTarget, io: SourceIo): Promise<void> {
  const facts = await readFacts(snapshot);
  const data = into.folder;
  await into.extract('/data', data);
  const files = await RestoredFiles.beside(join(data, 'PG_VERSION'));
  await files.privateFolder(data);
  await restoreTablespaces(facts, into, files);
  await completeConfiguration(facts, snapshot, data, files, io.report);
  for (const signal of STANDBY_SIGNALS)
    if (await files.remove(join(data, signal)))
      io.report({
        severity: 'note',
        code: 'standby-ended',
        message: `the backup came from a standby: ${signal} was left out, so that the copy starts as a server of its own`,
        subject: signal,
      });
  for (const file of facts.damagedFiles)
    io.report({
      severity: 'incomplete',
      code: 'pages-damaged',
      message: `${file} held damaged pages when it was backed up`,
      subject: file,
    });
  io.report({
    severity: 'note',
    code: 'how-to-start',
    message: `PostgreSQL ${facts.serverVersion} was restored; start it as the files’ owner with: pg_ctl -D ${quote(data)} start`,
    subject: data,
  });
}

/** For a shell. */
function quote(path: string): string {
  return /^[\w./:@+-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
