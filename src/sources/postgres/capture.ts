import { randomBytes } from 'node:crypto';
import type { Entry } from '../../domain/entry.ts';
import { RespaldoError } from '../../errors.ts';
import type { CaptureOptions, SourceIo } from '../source.ts';
import type { PostgresAddress } from './address.ts';
import { BackupEntries } from './backup-entries.ts';
import { captureConfiguration } from './configuration.ts';
import { connect, type PostgresConnection } from './connection.ts';
import { damagedFiles, judgeDamage } from './damage.ts';
import { findPassword } from './password.ts';
import { nameRelations } from './relation-names.ts';
import { inspectServer } from './server.ts';
import { judgeWarnings } from './skipped.ts';
import { BaseBackup } from './wire/base-backup.ts';

/**
 * `WAIT false`: the WAL is in the backup itself, whatever happens to the server's archiving. SHA-256, because a file
 * is then proven equal to what the server read, at no more cost than the blobs' own hashes.
 */
const BASE_BACKUP =
  "BASE_BACKUP (LABEL 'respaldo', CHECKPOINT 'fast', WAL true, WAIT false, MANIFEST 'yes', " +
  "MANIFEST_CHECKSUMS 'SHA256', TABLESPACE_MAP true, PROGRESS true, VERIFY_CHECKSUMS true, TARGET 'client')";

export interface CaptureRequest {
  readonly address: PostgresAddress;
  readonly password: string | undefined;
  readonly acceptDamagedPages: boolean;
}

/**
 * A base backup as entries: `/data`, `/tablespaces/<oid>`, `/config`, and `/respaldo.json` last. Ends normally only
 * after ReadyForQuery and when every file equalled the manifest; whatever went wrong is thrown, at the latest in place
 * of the last entry.
 */
export async function* capture(request: CaptureRequest, io: SourceIo, options: CaptureOptions): AsyncGenerator<Entry> {
  const password = await findPassword(request.address, request.password);
  const configuration = await captureConfiguration(request.address, password, io.report, io.signal);
  const connection = await connect(request.address, password, 'replication', io.signal);
  try {
    const server = await inspectServer(connection);
    await reserveWal(connection);
    const backup = await BaseBackup.start(connection.takeOver(), BASE_BACKUP, connection.server, io.signal);
    // The server's estimate leaves out the WAL, of which there is at least a segment.
    io.expect(backup.tablespaces.reduce((sum, { bytes }) => sum + bytes, server.walSegmentBytes));
    const entries = new BackupEntries(server, backup, options.since);
    for await (const part of backup.parts()) yield* entries.of(part);
    const end = await backup.finish();
    entries.verify(connection.server);
    const names = await nameRelations(damagedFiles(end), backup.tablespaces, request.address, password, io.signal);
    judgeDamage(end, names, connection.server, request.acceptDamagedPages, io.report);
    for (const finding of judgeWarnings(end.warnings)) io.report(finding);
    yield* entries.configuration(configuration);
    yield entries.facts(options, end.lsn, configuration, damagedFiles(end));
  } catch (error) {
    if (io.signal.aborted) throw new RespaldoError('cancelled', 'the base backup was cancelled', { cause: error });
    throw error;
  } finally {
    await connection.close();
  }
}

/**
 * Keeps the WAL that the backup needs from being recycled while it runs. The slot vanishes with the connection; its
 * name is random because the slot of a dead client may stay for a while.
 */
async function reserveWal(connection: PostgresConnection): Promise<void> {
  const name = `respaldo_${randomBytes(8).toString('hex')}`;
  await connection.query(`CREATE_REPLICATION_SLOT ${name} TEMPORARY PHYSICAL RESERVE_WAL`);
}
