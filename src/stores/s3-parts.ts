/** Large objects go to the server in parts, several at a time; they become an object all at once, at the end. */
import type {
  CompletedPart,
  ListMultipartUploadsCommandOutput,
  MultipartUpload,
  S3Client,
  StorageClass,
} from '@aws-sdk/client-s3';

import { throwIfAborted } from '../errors.ts';

/** Where an object is going to lie, and how. */
export interface PartedObject {
  readonly Bucket: string;
  readonly Key: string;
  readonly StorageClass?: StorageClass;
}

/** What is larger goes in parts. Bytes. */
export const ONE_PART = 64 * 1024 * 1024;
/** Servers want 5 MiB at least, for all parts but the last. Bytes. */
const SMALLEST_PART = 5 * 1024 * 1024;
const PART = 32 * 1024 * 1024;
const MOST_PARTS = 10_000;
const PARTS_AT_ONCE = 4;
/** How long what was begun and given up may take to be cleaned up. Milliseconds. */
const CLEANING = 10_000;

/** An upload in parts that the server has begun. */
export interface Upload {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string | undefined;
}

/**
 * Writes an object in parts. Where it fails, the parts that were sent are removed again, as far as the server can be
 * reached; what is left then is for `sweep`.
 * @param wanted the size of a part in bytes; servers set limits to it.
 */
export async function writeInParts(
  client: S3Client,
  object: PartedObject,
  bytes: Uint8Array,
  signal: AbortSignal,
  wanted = PART,
): Promise<void> {
  const { CompleteMultipartUploadCommand } = await import('@aws-sdk/client-s3');
  await inUpload(client, object, signal, async (upload) => {
    const Parts = await sendParts(client, upload, bytes, partSize(bytes.length, wanted), signal);
    await client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }), {
      abortSignal: signal,
    });
  });
}

/** Sends a request, and again what may succeed then, or says what is wrong in words of ours. */
export type Persist = <T>(request: () => Promise<T>, signal: AbortSignal) => Promise<T>;

/** Begins an upload, and takes it back unless `work` ends it well. */
export async function inUpload(
  client: S3Client,
  object: PartedObject,
  signal: AbortSignal,
  work: (upload: Upload) => Promise<void>,
  persist: Persist = (request) => request(),
): Promise<void> {
  const { AbortMultipartUploadCommand } = await import('@aws-sdk/client-s3');
  const { Bucket, Key } = object;
  const upload = { Bucket, Key, UploadId: await persist(() => begin(client, object, signal), signal) };
  try {
    throwIfAborted(signal);
    await work(upload);
  } catch (error) {
    const abortSignal = AbortSignal.timeout(CLEANING);
    await client.send(new AbortMultipartUploadCommand(upload), { abortSignal }).catch(() => undefined);
    throw error;
  }
}

/** Begins an upload. Given up before its answer came, it would be one that nobody knows how to end: so that may linger. */
async function begin(client: S3Client, object: PartedObject, signal: AbortSignal): Promise<string | undefined> {
  const { CreateMultipartUploadCommand } = await import('@aws-sdk/client-s3');
  const late = new AbortController();
  const hurry = () => {
    AbortSignal.timeout(CLEANING).addEventListener('abort', () => late.abort(), { once: true });
  };
  signal.addEventListener('abort', hurry, { once: true });
  try {
    const request = new CreateMultipartUploadCommand({ ...object, ContentType: BINARY });
    return (await client.send(request, { abortSignal: late.signal })).UploadId;
  } finally {
    signal.removeEventListener('abort', hurry);
  }
}

/** What the objects are to a server. */
export const BINARY = 'application/octet-stream';

/** As asked for, within the limits of the protocol. */
export function partSize(total: number, wanted: number): number {
  return Math.max(wanted, SMALLEST_PART, Math.ceil(total / MOST_PARTS));
}

/** A few senders, each of which takes the next part; the first failure stops all of them. */
async function sendParts(
  client: S3Client,
  upload: Upload,
  bytes: Uint8Array,
  size: number,
  signal: AbortSignal,
): Promise<CompletedPart[]> {
  const { UploadPartCommand } = await import('@aws-sdk/client-s3');
  const failed = new AbortController();
  const abortSignal = AbortSignal.any([signal, failed.signal]);
  const count = Math.max(1, Math.ceil(bytes.length / size));
  const parts: CompletedPart[] = [];
  let next = 0;
  const sender = async (): Promise<void> => {
    while (next < count) {
      const at = next++;
      throwIfAborted(signal);
      const Body = bytes.subarray(at * size, (at + 1) * size);
      const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber: at + 1, Body }), {
        abortSignal,
      });
      parts[at] = { PartNumber: at + 1, ...(ETag !== undefined && { ETag }) };
    }
  };
  const senders = Array.from({ length: Math.min(count, PARTS_AT_ONCE) }, () =>
    sender().catch((error: unknown) => {
      if (!failed.signal.aborted) failed.abort(error);
    }),
  );
  await Promise.all(senders);
  if (failed.signal.aborted) throw failed.signal.reason;
  return parts;
}

/** Uploads in parts that were begun below a prefix, and never ended. */
export async function* unfinishedUploads(
  client: S3Client,
  place: { readonly Bucket: string; readonly Prefix: string },
  signal: AbortSignal,
): AsyncIterable<MultipartUpload> {
  const { ListMultipartUploadsCommand } = await import('@aws-sdk/client-s3');
  let after = {};
  for (;;) {
    const page: ListMultipartUploadsCommandOutput = await client.send(
      new ListMultipartUploadsCommand({ ...place, ...after }),
      { abortSignal: signal },
    );
    yield* page.Uploads ?? [];
    const { IsTruncated, NextKeyMarker, NextUploadIdMarker } = page;
    if (IsTruncated !== true || NextKeyMarker === undefined) return;
    after = {
      KeyMarker: NextKeyMarker,
      ...(NextUploadIdMarker !== undefined && { UploadIdMarker: NextUploadIdMarker }),
    };
  }
}
