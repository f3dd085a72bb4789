import type { Finding } from '../../../domain/finding.ts';
import type { SourceIo } from '../../source.ts';
import type { BackupAddress } from '../address.ts';
import { passwordInAddress } from '../logical/check.ts';
import { survey } from './survey.ts';

/**
 * What would stop a copy of the files, without taking one.
 * @throws RespaldoError what cannot work at all.
 */
export async function checkFiles(
  address: BackupAddress,
  given: string | undefined,
  io: SourceIo,
): Promise<readonly Finding[]> {
  await survey(address, given, io);
  return address.password === undefined ? [] : [passwordInAddress];
}
