/** Large objects go to the server in parts, several at a time; they become an object all at once, at the end. */
import type {
  ChecksumAlgorithm,
  CompletedPart,
  CreateMultipartUploadCommandOutput,
  ListMultipartUploadsCommandOutput,
  MultipartUpload,
  S3Client,
} from '@aws-sdk/client-s3';

import { RespaldoError, throwIfAborted } from '../../errors.ts';
import { ensureLock, type NewObject } from './lock.ts';

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
  /** Of each part, and of the object. */
  readonly ChecksumAlgorithm?: ChecksumAlgorithm;
}

/** Sends an object in one request. */
export async function sendWhole(
  client: S3Client,
  object: NewObject,
  Body: Uint8Array,
  abortSignal: AbortSignal,
): Promise<void> {
  const { PutObjectCommand } = await import('@aws-sdk/client-s3');
  const answer = await client.send(new PutObjectCommand({ ...object, ContentType: BINARY, Body }), { abortSignal });
  try {
    requireEncryption(object, answer);
  } catch (error) {
    await takeBack(client, object, answer.VersionId);
    throw error;
  }
  await ensureLock(client, object, answer.VersionId, abortSignal);
}

/** Removes what has just come, as far as the server can be reached. A version that is locked is at least hidden. */
async function takeBack(client: S3Client, { Bucket, Key }: NewObject, VersionId: string | undefined): Promise<void> {
  const { DeleteObjectCommand } = await import('@aws-sdk/client-s3');
  const abortSignal = AbortSignal.timeout(CLEANING);
  const remove = (version: { readonly VersionId?: string }) =>
    client.send(new DeleteObjectCommand({ Bucket, Key, ...version }), { abortSignal });
  await remove({ ...(VersionId !== undefined && { VersionId }) })
    .catch(() => remove({}))
    .catch(() => undefined);
}

/** @param PartNumber from 1 on */
export async function sendPart(
  client: S3Client,
  upload: Upload,
  PartNumber: number,
  Body: Uint8Array,
  abortSignal: AbortSignal,
): Promise<CompletedPart> {
  const { UploadPartCommand } = await import('@aws-sdk/client-s3');
  const request = new UploadPartCommand({ ...upload, PartNumber, Body });
  const { ETag, ChecksumCRC32, ChecksumCRC32C, ChecksumSHA1, ChecksumSHA256 } = await client.send(request, {
    abortSignal,
  });
  const sums = Object.entries({ ETag, ChecksumCRC32, ChecksumCRC32C, ChecksumSHA1, ChecksumSHA256 });
  return { PartNumber, ...Object.fromEntries(sums.filter(([, sum]) => sum !== undefined)) };
}

/** A server that knows nothing of encryption takes an object all the same. */
function requireEncryption(
  { ServerSideEncryption: wanted }: NewObject,
  { ServerSideEncryption: given }: { readonly ServerSideEncryption?: string | undefined },
): void {
  if (wanted === undefined || given === wanted) return;
  throw new RespaldoError(
    'store-refused',
    `the server was asked to encrypt by ${wanted} and does not say that it did`,
    {
      hint: 'Take encryption= out of the address, or set it up on the server. Archives can be encrypted before they are sent.',
    },
  );
}

/**
 * Writes an object in parts. Where it fails, the parts that were sent are removed again, as far as the server can be
 * reached; what is left then is for `sweep`.
 * @param wanted the size of a part in bytes; servers set limits to it.
 */
export async function writeInParts(
  client: S3Client,
  object: NewObject,
  bytes: Uint8Array,
  signal: AbortSignal,
  wanted = PART,
): Promise<void> {
  const version = await inUpload(client, object, signal, async (upload) => {
    const parts = await sendParts(client, upload, bytes, partSize(bytes.length, wanted), signal);
    return complete(client, upload, parts, signal);
  });
  await ensureLock(client, object, version, signal);
}

/** Makes an object of all parts. @returns its version, where the bucket keeps some */
export async function complete(
  client: S3Client,
  upload: Upload,
  Parts: CompletedPart[],
  abortSignal: AbortSignal,
): Promise<string | undefined> {
  const { CompleteMultipartUploadCommand } = await import('@aws-sdk/client-s3');
  const { Bucket, Key, UploadId } = upload;
  const request = new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } });
  return (await client.send(request, { abortSignal })).VersionId;
}

/** Sends a request, and again what may succeed then, or says what is wrong in words of ours. */
export type Persist = <T>(request: () => Promise<T>, signal: AbortSignal) => Promise<T>;

/** Begins an upload, and takes it back unless `work` ends it well. */
export async function inUpload<T>(
  client: S3Client,
  object: NewObject,
  signal: AbortSignal,
  work: (upload: Upload) => Promise<T>,
  persist: Persist = (request) => request(),
): Promise<T> {
  const { AbortMultipartUploadCommand } = await import('@aws-sdk/client-s3');
  const { Bucket, Key, ChecksumAlgorithm } = object;
  const answer = await persist(() => begin(client, object, signal), signal);
  const upload = { Bucket, Key, ...(ChecksumAlgorithm && { ChecksumAlgorithm }), UploadId: answer.UploadId };
  try {
    throwIfAborted(signal);
    requireEncryption(object, answer);
    return await work(upload);
  } catch (error) {
    const abortSignal = AbortSignal.timeout(CLEANING);
    await client.send(new AbortMultipartUploadCommand(upload), { abortSignal }).catch(() => undefined);
    throw error;
  }
}

/** Begins an upload. Given up before its answer came, it would be one that nobody knows how to end: so that may linger. */
async function begin(
  client: S3Client,
  object: NewObject,
  signal: AbortSignal,
): Promise<CreateMultipartUploadCommandOutput> {
  const { CreateMultipartUploadCommand } = await import('@aws-sdk/client-s3');
  const late = new AbortController();
  const hurry = () => {
    AbortSignal.timeout(CLEANING).addEventListener('abort', () => late.abort(), { once: true });
  };
  signal.addEventListener('abort', hurry, { once: true });
  try {
    const request = new CreateMultipartUploadCommand({ ...object, ContentType: BINARY });
    return await client.send(request, { abortSignal: late.signal });
  } finally {
    signal.removeEventListener('abort', hurry);
  }
}

/** What the objects are to a server. */
const BINARY = 'application/octet-stream';

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
      parts[at] = await sendPart(client, upload, at + 1, Body, abortSignal);
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
