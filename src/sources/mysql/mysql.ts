import type { ReadableSnapshot } from '../../domain/snapshot.ts';
import type { SourceKind } from '../source.ts';
import { recognise } from './detection/recognise.ts';
import { extraArguments } from './logical/extra-arguments.ts';
import { ACCOUNTS_AND_GRANTS } from './logical/holds.ts';
import { openMysqlSource } from './source.ts';
import { isMysqlAddress, parseAddress } from './address.ts';

export const mysql: SourceKind = {
  name: 'mysql',
  addresses:
    'a MySQL or MariaDB server (mysql://user@host/database; all files of a MariaDB server: mysql://user@host/?method=physical)',
  restoresAs: 'a MariaDB data directory that a server starts on',
  accepts: isMysqlAddress,
  open: (address, options) => {
    const parsed = parseAddress(address, options.place === undefined);
    extraArguments(parsed.extraArguments);
    return openMysqlSource(parsed, options);
  },
  finder: {
    recognise,
    onHost: async (signal) => (await import('./detection/on-host.ts')).serversOfHost(signal),
  },
  server: {
    replays: true,
    archivedAccounts: ACCOUNTS_AND_GRANTS,
    databases: async (snapshot) => {
      await refuseStretch(snapshot);
      return (await (await import('./restore/snapshot-dump.ts')).dumpOf(snapshot, undefined)).databases;
    },
    plan: async (request, io) => {
      if ('snapshot' in request.dump) await refuseStretch(request.dump.snapshot);
      return request.until === undefined
        ? (await import('./restore/plan.ts')).planServerRestore(request, io)
        : (await import('./binlogs/point-in-time.ts')).planPointInTime(request, io);
    },
    carryOut: async (plan, request, io) =>
      request.until === undefined
        ? (await import('./restore/carry-out.ts')).carryOutServerRestore(plan, request, io)
        : (await import('./binlogs/point-in-time.ts')).carryOutPointInTime(plan, request, io),
    archived: {
      log: 'binlog',
      plan: async (request, io) => (await import('./binlogs/point-in-time.ts')).planPointInTime(request, io),
      carryOut: async (plan, request, io) =>
        (await import('./binlogs/point-in-time.ts')).carryOutPointInTime(plan, request, io),
    },
  },
  driller: {
    programs: ['mariadbd', 'mysqld'],
    neededBytes: async (snapshot) => {
      await refuseStretch(snapshot);
      return (await import('./drill/drill.ts')).neededBytes(snapshot);
    },
    drill: async (request, io) => (await import('./drill/drill.ts')).drill(request, io),
  },
  unpack: async (content, folder, io) => (await import('./physical/unpack.ts')).unpackFiles(content, folder, io),
  unpacks: ['xb'],
  restore: async (snapshot, into, io) => (await import('./physical/restore.ts')).restoreFiles(snapshot, into, io),
};

/** Loaded when it is asked, as all that reads facts. */
async function refuseStretch(snapshot: ReadableSnapshot): Promise<void> {
  await (await import('./binlogs/facts.ts')).refuseStretch(snapshot);
}
