import type { Finding } from '../../../domain/finding.ts';
import type { SourceIo } from '../../source.ts';
import type { MysqlAddress } from '../address.ts';
import { surveyLog } from './survey.ts';

/** What would stop the log from being read, without reading any. @throws RespaldoError what cannot work at all. */
export async function checkBinlogs(
  address: MysqlAddress,
  given: string | undefined,
  io: SourceIo,
): Promise<readonly Finding[]> {
  const { server, mayFlush } = await surveyLog(address, given, io, false);
  if (mayFlush) return [];
  return [
    {
      severity: 'note',
      code: 'binlog-not-rotated',
      message: `${server.account} lacks RELOAD: no new file of the log is begun, and the one that is being written is stored in parts`,
    },
  ];
}
