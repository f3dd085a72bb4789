import { RespaldoError } from '../../../errors.ts';
import { openDumpFile, type DumpFile } from '../../server/dump-file.ts';

/** Looks at the beginning of a file of SQL. @throws RespaldoError `source-missing`, `usage` */
export async function inspectFile(path: string): Promise<DumpFile> {
  const { file, head } = await openDumpFile(path);
  if (!file.isCompressed && head.includes(0))
    throw new RespaldoError('usage', `${path} is not SQL`, { hint: 'What can be restored: .sql and .sql.gz.' });
  return file;
}
