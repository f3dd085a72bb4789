import type { Finding } from '../../../domain/finding.ts';
import { RespaldoError } from '../../../errors.ts';
import type { SourceIo } from '../../source.ts';
import type { BackupAddress } from '../address.ts';
import { passwordInAddress } from '../check.ts';
import { loadDriver } from '../connection.ts';
import { knowsGuard } from './guard.ts';
import { lookAhead } from './outlook.ts';

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
  const { server, tools } = await lookAhead(address, given, io, () => {
    loadAhead(io);
  });
  if (server.number < OLDEST)
    throw new RespaldoError('source-refused', `${tools.server} is version ${server.version}`, {
      hint: 'Dumps need PostgreSQL 12 or newer.',
    });
  await knowsGuard(tools);
  return address.password === undefined ? [] : [passwordInAddress];
}

/** What a dump is going to need, while the server thinks about its answer. */
function loadAhead({ runtime }: SourceIo): void {
  // Whoever needs it is told what is wrong with it.
  import('./begun-dumps.ts').catch(() => undefined);
  if (runtime.kind === 'host') loadDriver().catch(() => undefined);
}
