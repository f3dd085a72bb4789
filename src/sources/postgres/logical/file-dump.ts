import { RespaldoError } from '../../../errors.ts';
import { openDumpFile } from '../../server/dump-file.ts';
import type { DumpFile } from '../../source.ts';

/** What other tools write: SQL, or pg_dump's custom and tar formats, for pg_restore. */
export interface FileDump {
  readonly form: 'sql' | 'custom' | 'tar';
  /** Of the file. */
  readonly bytes: number;
}

const CUSTOM = Buffer.from('PGDMP');
/** Where a tar says that it is one. */
const TAR = { at: 257, is: Buffer.from('ustar') };

/** Looks at a file's beginning. @throws RespaldoError `source-missing`, `usage` */
export async function inspectFile(dump: DumpFile): Promise<FileDump> {
  const { head, bytes } = await openDumpFile(dump);
  return { form: formOf(head, dump.file), bytes };
}

function formOf(head: Buffer, path: string): FileDump['form'] {
  if (head.subarray(0, CUSTOM.length).equals(CUSTOM)) return 'custom';
  if (head.subarray(TAR.at, TAR.at + TAR.is.length).equals(TAR.is)) return 'tar';
  if (!head.includes(0)) return 'sql';
  throw new RespaldoError('usage', `${path} is neither SQL nor an archive of pg_dump`, {
    hint: 'What can be restored: .sql, and what pg_dump -Fc or -Ft writes; as it is, or compressed by gzip, zstd, xz or bzip2.',
  });
}
