import { RespaldoError } from '../../../errors.ts';
import { HEAD, openDumpFile, readDumpFile, type InspectedFile } from '../../server/dump-file.ts';
import type { DumpFile } from '../../source.ts';

/** What other tools write: SQL, or pg_dump's custom and tar formats, for pg_restore; maybe compressed by gzip. */
export interface FileDump extends InspectedFile {
  readonly form: 'sql' | 'custom' | 'tar';
}

const CUSTOM = Buffer.from('PGDMP');
/** Where a tar says that it is one. */
const TAR = { at: 257, is: Buffer.from('ustar') };

/** Looks at a file's beginning. @throws RespaldoError `source-missing`, `usage` */
export async function inspectFile(dump: DumpFile): Promise<FileDump> {
  const { file, head } = await openDumpFile(dump);
  const start = file.isCompressed ? await unpackedHead(dump) : head;
  return { form: formOf(start, dump.file), ...file };
}

function formOf(start: Buffer, path: string): FileDump['form'] {
  if (start.subarray(0, CUSTOM.length).equals(CUSTOM)) return 'custom';
  if (start.subarray(TAR.at, TAR.at + TAR.is.length).equals(TAR.is)) return 'tar';
  if (!start.subarray(0, HEAD).includes(0)) return 'sql';
  throw new RespaldoError('usage', `${path} is neither SQL nor an archive of pg_dump`, {
    hint: 'What can be restored: .sql, .sql.gz, and what pg_dump -Fc or -Ft writes.',
  });
}

async function unpackedHead(dump: DumpFile): Promise<Buffer> {
  for await (const piece of readDumpFile(dump, { isCompressed: true })) return Buffer.from(piece);
  return Buffer.alloc(0);
}
