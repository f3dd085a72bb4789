/** What `mariadb-backup` tells of a backup in the files that it adds. Pure. */
import { RespaldoError } from '../../../errors.ts';
import type { ChainLink, PhysicalFacts } from './facts.ts';

/** By their last names, which differ between versions. */
export const TOLD = /^(?:xtrabackup|mariadb_backup)_(checkpoints|binlog_info)$/;

/** @throws RespaldoError `source-lost` where something is missing. */
export function parseCheckpoints(text: string): Pick<ChainLink, 'fromLsn' | 'toLsn' | 'lastLsn'> {
  const value = (name: string): string => {
    const [, digits] = new RegExp(`^${name} = (\\d+)$`, 'm').exec(text) ?? [];
    if (digits !== undefined) return digits;
    throw new RespaldoError('source-lost', `mariadb-backup did not tell where the copy ends (${name})`, {
      hint: 'Nothing was stored as a snapshot. Run the backup again.',
    });
  };
  return { fromLsn: value('from_lsn'), toLsn: value('to_lsn'), lastLsn: value('last_lsn') };
}

/** `bin.000002	373	0-1-9`; a server of several masters has several identifiers, apart by commas. */
export function parsePosition(text: string): NonNullable<PhysicalFacts['position']> {
  const [file = '', offset = '', gtid = ''] = text.trim().split('\t');
  return {
    ...(file !== '' && { file }),
    ...(/^\d+$/.test(offset) && { offset: Number(offset) }),
    ...(gtid.trim() !== '' && { gtid: gtid.trim() }),
  };
}
