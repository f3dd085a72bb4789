/** What a stretch is in a snapshot, beside its bytes. */
import { randomUUID } from 'node:crypto';
import type { Entry } from '../../../domain/entry.ts';
import type { Finding } from '../../../domain/finding.ts';
import { dumpMetadata } from '../../server/dump-metadata.ts';
import { encodeFacts, FACTS_PATH } from '../../server/snapshot-facts.ts';
import type { CaptureOptions } from '../../source.ts';
import type { BinlogFacts } from './facts.ts';
import type { Start } from './resume.ts';
import type { Stretch } from './stretch.ts';
import type { LogSurvey } from './survey.ts';

export function folderEntry(): Entry {
  return { kind: 'directory', path: '/binlogs', metadata: { ...dumpMetadata(), mode: 0o700 } };
}

export function factsEntry(facts: BinlogFacts): Entry {
  return { kind: 'file', path: FACTS_PATH, metadata: dumpMetadata(), content: [encodeFacts(facts)] };
}

/** The chain that a stretch from there on belongs to. */
export function chainOf({ before, broken }: Start): BinlogFacts['chain'] {
  if (before !== undefined) return { id: before.chain.id };
  return { id: randomUUID(), begins: true, ...(broken && { broken }) };
}

export async function factsOf(
  stretch: Stretch,
  chain: BinlogFacts['chain'],
  { tools, server, id, now }: Pick<LogSurvey, 'tools' | 'server' | 'id' | 'now'>,
  { type, origin }: Pick<CaptureOptions, 'type' | 'origin'>,
): Promise<BinlogFacts> {
  return {
    format: 1,
    kind: 'mysql',
    method: 'binlogs',
    type,
    ...(origin && { origin }),
    product: server.version.product,
    serverVersion: server.said,
    tools: { client: (await tools.program('client')).said, binlog: (await tools.program('binlog')).said },
    server: id,
    chain,
    seenAt: new Date(now * 1000).toISOString(),
    ...stretch.facts(),
  };
}

/** People have to do something, or will miss what lies in the gap. */
export function chainBroken({ reason, after }: NonNullable<Start['broken']>): Finding {
  return {
    severity: 'note',
    code: 'binlog-gap',
    prominent: true,
    subject: `${after.file}:${String(after.offset)}`,
    message: `there is a gap in the binary log behind ${after.file}:${String(after.offset)}: ${reason}. A new chain begins; take a new base backup, since no older one leads beyond the gap`,
  };
}
