import type { Finding } from '../../../domain/finding.ts';
import type { SourceIo } from '../../source.ts';
import type { Access } from '../access.ts';
import type { BackupAddress } from '../address.ts';
import { findingsOf } from './findings.ts';
import { survey } from './survey.ts';

/** Told of any address with a password. */
export const passwordInAddress: Finding = {
  severity: 'note',
  code: 'password-in-address',
  prominent: true,
  message: 'the password is part of the address, where others can see it: MYSQL_PWD or ~/.my.cnf hide it',
};

/**
 * What would stop a dump, without taking one: tools, password, privileges, databases.
 * @throws RespaldoError what cannot work at all.
 */
export async function checkDumps(address: BackupAddress, access: Access, io: SourceIo): Promise<readonly Finding[]> {
  const { server, databases, extra } = await survey(address, access, io);
  const isLocking = extra.includes('--lock-all-tables');
  return [...(address.password === undefined ? [] : [passwordInAddress]), ...findingsOf(server, databases, isLocking)];
}
