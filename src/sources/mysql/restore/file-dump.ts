import { RespaldoError } from '../../../errors.ts';
import { openDumpFile, type InspectedFile } from '../../server/dump-file.ts';
import type { DumpFile } from '../../source.ts';

/** Looks at the beginning of a file of SQL. @throws RespaldoError `source-missing`, `usage` */
export async function inspectFile(dump: DumpFile): Promise<InspectedFile> {
  const { file, head } = await openDumpFile(dump);
  if (!file.isCompressed && head.includes(0))
    throw new RespaldoError('usage', `${dump.file} is not SQL`, { hint: 'What can be restored: .sql and .sql.gz.' });
  return file;
}
