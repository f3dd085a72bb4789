import type { Finding } from '../../../domain/finding.ts';
import { RespaldoError } from '../../../errors.ts';
import type { SourceIo } from '../../source.ts';
import type { BackupAddress } from '../address.ts';
import { passwordInAddress } from '../check.ts';
import { chooseDatabases } from './choose-databases.ts';
import { survey } from './survey.ts';
import { Toolbox } from './toolbox.ts';

const OLDEST = 120_000;

/**
 * What would stop a dump, without taking one: tools, password, version, databases.
 * @throws RespaldoError what cannot work at all.
 */
export async function checkDumps(
  address: BackupAddress,
  given: string | undefined,
  io: SourceIo,
): Promise<readonly Finding[]> {
  const tools = await Toolbox.open(address, given, io.runtime, io.signal);
  const { server, databases } = await survey(tools, address);
  if (server.number < OLDEST)
    throw new RespaldoError('source-refused', `${tools.server} is version ${server.version}`, {
      hint: 'Dumps need PostgreSQL 12 or newer.',
    });
  chooseDatabases(databases, address, tools.server);
  await tools.ofVersion(Math.floor(server.number / 10_000));
  return address.password === undefined ? [] : [passwordInAddress];
}
