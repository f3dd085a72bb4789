/** Whether a copy can hold only what has changed since another one. Pure. */
import type { ChainLink, PhysicalFacts } from './facts.ts';
import type { Survey } from './survey.ts';

/** What is remembered of a copy that others may build upon. */
export type Base = Pick<PhysicalFacts, 'serverVersion' | 'server' | 'pageBytes'> & {
  readonly last: Pick<ChainLink, 'toLsn' | 'lastLsn'>;
};

/**
 * Why everything has to be copied, as a clause for people; undefined: nothing speaks against an increment.
 *
 * InnoDB's pages tell since where in the redo log they have not changed, and nothing tells whether it is the same log: a
 * server whose files were put back from an older copy counts on from there, and what it changed in between would be
 * missing silently. So it has to be the very server that was running when the base was made.
 */
export function whyEverything(
  base: Base,
  { serverVersion, files }: Pick<Survey, 'serverVersion' | 'files'>,
): string | undefined {
  const { server } = base;
  if (server.hostname !== files.hostname || server.dataDirectory !== files.dataDirectory)
    return 'the last one is of another server';
  if (server.startedAt !== files.startedAt) return 'the server was started anew since the last one';
  if (base.serverVersion !== serverVersion || base.pageBytes !== files.pageBytes)
    return 'the server is another one since the last one';
  if (files.lsn === undefined) return 'the server does not tell where its redo log is';
  if (files.lsn < BigInt(base.last.lastLsn)) return 'the server’s redo log has gone back';
  return undefined;
}

/**
 * Why the last increment of a snapshot does not hold what has changed since a copy, as a clause for people; undefined: it
 * does.
 */
export function whyNotLast(
  { serverVersion, server, pageBytes, last }: Base,
  facts: Pick<PhysicalFacts, 'serverVersion' | 'server' | 'pageBytes'> & {
    readonly chain: readonly Pick<ChainLink, 'toLsn' | 'lastLsn'>[];
  },
): string | undefined {
  const before = facts.chain.at(-2);
  if (before === undefined) return 'the snapshot holds everything in one copy';
  const isSame =
    server.hostname === facts.server.hostname &&
    server.dataDirectory === facts.server.dataDirectory &&
    server.startedAt === facts.server.startedAt &&
    serverVersion === facts.serverVersion &&
    pageBytes === facts.pageBytes;
  return isSame && before.toLsn === last.toLsn && before.lastLsn === last.lastLsn
    ? undefined
    : 'the snapshot builds upon another copy than the one that is archived';
}

/** Whether each builds upon the one before it. */
export function isChain(links: readonly Pick<ChainLink, 'fromLsn' | 'toLsn'>[]): boolean {
  return links.every(({ fromLsn }, i) => fromLsn === (i === 0 ? '0' : links[i - 1]?.toLsn));
}
