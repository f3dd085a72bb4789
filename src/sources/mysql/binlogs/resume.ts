/** Where the next stretch begins: behind the last one, where the server still has what comes then; else a chain ends. */
import { createHash } from 'node:crypto';
import { isError } from '../../../errors.ts';
import { downloadStretch } from './download.ts';
import { FIRST } from './event.ts';
import { successorOf } from './file-name.ts';
import type { BinlogFacts } from './facts.ts';
import { GtidState, isWithin } from './gtid.ts';
import { BinlogReader, type LogPosition } from './reader.ts';
import type { LogFile, LogSurvey } from './survey.ts';

export interface Start {
  readonly at: LogPosition;
  /** Behind it there is no gap. */
  readonly before?: BinlogFacts;
  /** Why the chain of the last stretch ends. */
  readonly broken?: { readonly reason: string; readonly after: LogPosition };
}

/** What the last stretch and the server's list allow. Pure. */
export type Candidate =
  | { readonly kind: 'begin'; readonly at: LogPosition; readonly reason?: string }
  /** If the server still has the last event as it was. */
  | { readonly kind: 'same-event'; readonly at: LogPosition }
  /** If the first file that is left knows of everything before it. */
  | { readonly kind: 'next-file'; readonly at: LogPosition };

export function candidate(before: BinlogFacts | undefined, id: string, files: readonly LogFile[]): Candidate {
  const [oldest] = files;
  const begin = (reason?: string): Candidate => ({
    kind: 'begin',
    at: { file: oldest?.name ?? '', offset: FIRST },
    ...(reason !== undefined && { reason }),
  });
  if (before === undefined) return begin();
  if (before.server !== id) return begin(`the server is another one: it was ${before.server}, and is ${id}`);
  const { tail } = before;
  const index = files.findIndex(({ name }) => name === tail.file);
  const file = files[index];
  if (file === undefined) {
    return tail.closed && oldest !== undefined && oldest.name === successorOf(tail.file)
      ? { kind: 'next-file', at: { file: oldest.name, offset: FIRST } }
      : begin(`the server has purged ${tail.file}, and perhaps others, before they were stored`);
  }
  if (file.bytes < tail.to) return begin(`the server has lost the end of ${tail.file}, or began its log anew`);
  const next = files[index + 1];
  const isThrough = file.bytes === tail.to && next !== undefined;
  return {
    kind: 'same-event',
    at: isThrough ? { file: next.name, offset: FIRST } : { file: tail.file, offset: tail.to },
  };
}

/** The same, after a look into the log. */
export async function findStart(before: BinlogFacts | undefined, log: LogSurvey): Promise<Start> {
  const found = candidate(before, log.id, log.files);
  const begin: LogPosition = { file: log.files[0]?.name ?? '', offset: FIRST };
  const broken = (reason: string): Start =>
    before === undefined ? { at: begin } : { at: begin, broken: { reason, after: before.to } };
  if (before === undefined) return { at: begin };
  switch (found.kind) {
    case 'begin':
      return broken(found.reason ?? '');
    case 'same-event':
      return (await isSameEvent(before.tail, log))
        ? { at: found.at, before }
        : broken(`${before.tail.file} is another file than the one that was stored: the server began its log anew`);
    case 'next-file':
      return (await knowsOf(before, found.at.file, log))
        ? { at: found.at, before }
        : broken(`${found.at.file} does not know of what was stored before it: the server began its log anew`);
  }
}

async function isSameEvent({ file, from, to, sha256 }: BinlogFacts['tail'], log: LogSurvey): Promise<boolean> {
  const reader = new BinlogReader({ file, offset: from }, log.tools.server, [file]);
  try {
    for await (const piece of downloadStretch(log.tools, file, from, to))
      for (const { event, to: end } of reader.push(piece))
        return end === to && createHash('sha256').update(event.bytes).digest('hex') === sha256;
    return false;
  } catch (error) {
    // What lies at that place is no event, or none of ours.
    if (isError(error, 'source-damaged') || (isError(error, 'source-refused') && error.context['number'] === 1236))
      return false;
    throw error;
  }
}

/** Its list of transactions is among its first events. */
const HEAD_BYTES = 4096;

async function knowsOf(before: BinlogFacts, file: string, log: LogSurvey): Promise<boolean> {
  const reader = new BinlogReader({ file, offset: FIRST }, log.tools.server, [file]);
  const known = new GtidState();
  for await (const piece of downloadStretch(log.tools, file, FIRST, HEAD_BYTES))
    for (const { event } of reader.push(piece)) known.add(event);
  return isWithin(GtidState.parse(before.gtids.after), known);
}
