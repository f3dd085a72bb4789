/** Whether archives of a log can be continued from a snapshot, and from where in it. */
import { createHash } from 'node:crypto';
import type { ReadableSnapshot } from '../../../domain/snapshot.ts';
import type { Increments } from '../../source.ts';
import { FIRST } from './event.ts';
import { successorOf } from './file-name.ts';
import { readBinlogFacts, type BinlogFacts } from './facts.ts';
import { BinlogReader, type LogPosition } from './reader.ts';
import { Memory, type StoredLog } from './remembered.ts';
import { compare } from './walk.ts';

/** See {@link Source.whyReadAgain}. */
export async function whyReadAgain(
  snapshot: ReadableSnapshot,
  path: string,
  increments: Increments,
): Promise<string | undefined> {
  const facts = await readBinlogFacts(snapshot);
  const stored = await new Memory(path, increments).read();
  if (stored === undefined)
    return facts.chain.begins === true ? undefined : 'the archives hold nothing of what came before the snapshot';
  return (await startIn(facts, stored, snapshot)) === undefined
    ? `the archives end at ${nameOf(stored.to)}, and the snapshot does not go on from there`
    : undefined;
}

/**
 * Where a snapshot goes on from what is in the archives. Undefined: it does not, or nobody can tell that it is the same
 * log.
 */
export async function startIn(
  facts: BinlogFacts,
  stored: StoredLog,
  snapshot: ReadableSnapshot,
): Promise<LogPosition | undefined> {
  const { tail, to } = stored;
  if (stored.server !== facts.server || compare(to, facts.to) > 0) return undefined;
  const isSame = (stored.snapshots ?? stored.chain.id) === facts.chain.id || (await holdsTail(snapshot, facts, stored));
  if (!isSame) return undefined;
  if (compare(to, facts.from) >= 0) return to;
  const isNextFile = tail.closed && facts.from.offset === FIRST && successorOf(to.file) === facts.from.file;
  return isNextFile ? facts.from : undefined;
}

/** The last event of the archives is in the snapshot, as it was. */
async function holdsTail(snapshot: ReadableSnapshot, facts: BinlogFacts, { tail }: StoredLog): Promise<boolean> {
  const part = facts.parts.find(({ file, from, to }) => file === tail.file && from <= tail.from && tail.to <= to);
  if (part === undefined) return false;
  const start = { file: part.file, offset: Math.max(part.from, FIRST) };
  const format = part.from === 0 ? undefined : Buffer.from(facts.formatEvent ?? '', 'base64');
  const reader = new BinlogReader(start, 'the stored log', [part.file], format);
  for await (const piece of snapshot.stream(part.path))
    for (const { event, from } of reader.push(piece))
      if (from >= tail.from)
        return from === tail.from && createHash('sha256').update(event.bytes).digest('hex') === tail.sha256;
  return false;
}

function nameOf({ file, offset }: LogPosition): string {
  return `${file}:${String(offset)}`;
}
