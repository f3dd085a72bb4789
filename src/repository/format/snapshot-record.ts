import { z } from 'zod';
import type { Snapshot, SnapshotSummary } from '../../domain/snapshot.ts';
import { RespaldoError } from '../../errors.ts';
import { type Id, isId } from './id.ts';
import { goJsonString } from './quote.ts';

const id = z.string().refine(isId, 'not an id');
const count = z.number().int().nonnegative();
const time = z.iso.datetime({ offset: true });
/** Go writes an empty list as `null`. */
const strings = z
  .array(z.string())
  .nullable()
  .transform((list) => list ?? []);

const summarySchema = z.object({
  backup_start: time,
  backup_end: time,
  files_new: count,
  files_changed: count,
  files_unmodified: count,
  dirs_new: count,
  dirs_changed: count,
  dirs_unmodified: count,
  data_blobs: count,
  tree_blobs: count,
  data_added: count,
  data_added_packed: count,
  total_files_processed: count,
  total_bytes_processed: count,
}) satisfies z.ZodType<SnapshotSummary>;

/** Fields that we do not know are dropped, as restic does. */
const recordSchema = z.object({
  time,
  parent: id.exactOptional(),
  tree: id,
  paths: strings,
  hostname: z.string().default(''),
  username: z.string().default(''),
  uid: count.exactOptional(),
  gid: count.exactOptional(),
  excludes: strings.exactOptional(),
  tags: strings.exactOptional(),
  original: id.exactOptional(),
  program_version: z.string().exactOptional(),
  summary: summarySchema.exactOptional(),
});

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The JSON of a snapshot's record, as restic writes it: Go's order of fields, empty ones left out. */
export function encodeSnapshot(record: Omit<Snapshot, 'id'>): Uint8Array {
  const fields = [
    field('time', record.time),
    optional('parent', record.parent),
    field('tree', record.tree),
    `"paths":${encodeStrings(record.paths)}`,
    optional('hostname', record.hostname),
    optional('username', record.username),
    optionalNumber('uid', record.uid),
    optionalNumber('gid', record.gid),
    optionalList('excludes', record.excludes),
    optionalList('tags', record.tags),
    optional('original', record.original),
    optional('program_version', record.program_version),
    record.summary === undefined ? '' : `"summary":${encodeSummary(record.summary)}`,
  ];
  return encoder.encode(`{${fields.filter((text) => text !== '').join(',')}}`);
}

/** @throws RespaldoError `repository-damaged` */
export function parseSnapshot(snapshotId: Id, json: Uint8Array): Snapshot {
  try {
    return { id: snapshotId, ...recordSchema.parse(JSON.parse(decoder.decode(json))) };
  } catch (error) {
    const what = error instanceof z.ZodError ? z.prettifyError(error) : 'not JSON';
    throw new RespaldoError('repository-damaged', `snapshot ${snapshotId} has an invalid record: ${what}`, {
      hint: 'Run `respaldo check` to learn what else is damaged.',
      context: { snapshot: snapshotId },
      cause: error,
    });
  }
}

function encodeSummary(summary: SnapshotSummary): string {
  // In the schema's order, which is restic's, whatever the order in the object.
  const fields = summarySchema.keyof().options.map((name) => {
    const value = summary[name];
    return typeof value === 'string' ? field(name, value) : `"${name}":${value}`;
  });
  return `{${fields.join(',')}}`;
}

function field(name: string, text: string): string {
  return `"${name}":${goJsonString(text)}`;
}

function optional(name: string, text: string | undefined): string {
  return text === undefined || text === '' ? '' : field(name, text);
}

function optionalNumber(name: string, value: number | undefined): string {
  return value === undefined || value === 0 ? '' : `"${name}":${value}`;
}

function optionalList(name: string, list: readonly string[] | undefined): string {
  return list === undefined || list.length === 0 ? '' : `"${name}":${encodeStrings(list)}`;
}

function encodeStrings(list: readonly string[]): string {
  return `[${list.map(goJsonString).join(',')}]`;
}
