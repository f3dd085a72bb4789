import { RespaldoError } from '../../../errors.ts';
import { openDumpFile, type OpenedFile } from '../../server/dump-file.ts';
import type { DumpFile } from '../../source.ts';

/** Looks at the beginning of a file of SQL. @throws RespaldoError `source-missing`, `usage` */
export async function inspectFile(dump: DumpFile): Promise<OpenedFile> {
  const file = await openDumpFile(dump);
  if (file.head.includes(0))
    throw new RespaldoError('usage', `${dump.file} is not SQL`, {
      hint: 'What can be restored: .sql, as it is, or compressed by gzip, zstd, xz or bzip2.',
    });
  return file;
}
