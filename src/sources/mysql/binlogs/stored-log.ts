/** Stretches of a log, wherever they are stored. */
import { z } from 'zod';
import type { ReadableSnapshot } from '../../../domain/snapshot.ts';
import { RespaldoError, throwIfAborted } from '../../../errors.ts';
import type { ArchivedCopy } from '../../source.ts';
import { productName, type Product } from '../product.ts';
import { FIRST, HEADER_BYTES, MAGIC, sizeIn } from './event.ts';
import { findBinlogFacts, type PartFacts } from './facts.ts';
import type { LogHolder } from './log-reader.ts';
import type { LogPosition } from './reader.ts';
import type { StoredStretch } from './walk.ts';

/** Those of one product. */
export async function stretchesOf(
  logs: readonly ReadableSnapshot[],
  product: Product,
  signal: AbortSignal,
): Promise<StoredStretch<LogHolder>[]> {
  const found: StoredStretch<LogHolder>[] = [];
  for (const snapshot of logs) {
    throwIfAborted(signal);
    const facts = await findBinlogFacts(snapshot);
    if (facts?.product === product) found.push({ snapshot, facts });
  }
  return found;
}

/** The same of files in archives: each is one part. */
export async function archivedStretches(
  copies: readonly ArchivedCopy[],
  product: Product,
  signal: AbortSignal,
): Promise<StoredStretch<LogHolder>[]> {
  const found: StoredStretch<LogHolder>[] = [];
  for (const copy of copies) {
    throwIfAborted(signal);
    if (productName(product) in copy.versions) found.push(await stretchIn(copy, product));
  }
  return found;
}

const position = z.string().transform((text, context): LogPosition => {
  const [, file, offset] = /^(.+):(\d+)$/s.exec(text) ?? [];
  if (file !== undefined) return { file, offset: Number(offset) };
  context.addIssue('no place in a log');
  return z.NEVER;
});

/** As `portable.ts` writes them. */
const archivedFacts = z.object({
  chain: z.string(),
  from: position,
  to: position,
  gtidsBefore: z.string(),
  gtidsAfter: z.string(),
  transactions: z.coerce.number(),
  seenAt: z.string(),
  closed: z.literal('true').exactOptional(),
  firstTime: z.string().exactOptional(),
  lastTime: z.string().exactOptional(),
  gapAfter: position.exactOptional(),
});

async function stretchIn(copy: ArchivedCopy, product: Product): Promise<StoredStretch<LogHolder>> {
  const parsed = archivedFacts.safeParse(copy.facts);
  if (!parsed.success)
    throw new RespaldoError('source-damaged', `the manifest of ${copy.file} does not say what part of a log it is`, {
      hint: 'A newer Respaldo may have written it. Without the manifest the file can still be replayed by hand.',
    });
  const { chain, from, to, gtidsBefore, gtidsAfter, transactions, seenAt, closed, firstTime, lastTime, gapAfter } =
    parsed.data;
  const times = { ...(firstTime !== undefined && { firstTime }), ...(lastTime !== undefined && { lastTime }) };
  const start = from.offset <= FIRST ? 0 : from.offset;
  const format = start === 0 ? undefined : await formatIn(copy);
  const part: PartFacts = {
    ...{ file: from.file, from: start, to: to.offset, path: copy.file, bytes: to.offset - start },
    ...{ closed: closed !== undefined, transactions, ...times },
  };
  const broken = gapAfter && { broken: { reason: 'as its manifest says', after: gapAfter } };
  return {
    snapshot: { stream: () => withoutHead(copy, format === undefined ? 0 : MAGIC.length + format.length) },
    facts: {
      ...{ product, from, to, seenAt, ...times, chain: { id: chain, ...broken } },
      gtids: { before: gtidsBefore, after: gtidsAfter },
      ...(format && { formatEvent: format.toString('base64') }),
      parts: [part],
    },
  };
}

/** What begins in the middle of a file of the server has got the event that tells the format, so that it can be read by itself. */
async function formatIn({ content, file }: ArchivedCopy): Promise<Buffer> {
  let head: Buffer = Buffer.alloc(0);
  for await (const piece of content.read()) {
    head = Buffer.concat([head, piece]);
    if (head.length < MAGIC.length + HEADER_BYTES) continue;
    const end = MAGIC.length + sizeIn(head.subarray(MAGIC.length));
    if (head.length >= end) return head.subarray(MAGIC.length, end);
  }
  throw new RespaldoError('source-damaged', `${file} does not begin as a binary log does`, {
    hint: 'Use another copy of it.',
  });
}

async function* withoutHead({ content }: ArchivedCopy, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const piece of content.read()) {
    const rest = piece.subarray(Math.min(left, piece.length));
    left -= piece.length - rest.length;
    if (rest.length > 0) yield rest;
  }
}
