import type { HeadBucketCommand, S3Client } from '@aws-sdk/client-s3';

import type { Clock } from '../../clock.ts';
import type { Observation } from '../../domain/observation.ts';
import { RespaldoError, throwIfAborted } from '../../errors.ts';
import type { S3Address } from './address.ts';
import { isDenied, isTaken, isUnknownToServer, s3Failure } from './errors.ts';
import { unfinishedUploads, writeInParts } from './parts.ts';
import { observeClock } from '../trial.ts';

interface Place {
  readonly address: S3Address;
  /** Before the keys of all that is written. */
  readonly root: string;
  /** The one in which the server is asked by now. */
  readonly region: string;
  /** The one in which it was asked at first. */
  readonly firstRegion: string;
}

/** More than the smallest part that servers take. Bytes. */
const TWO_PARTS = 6 * 1024 * 1024;
const RIVALS = 8;

/** Tries what S3 servers do differently. What the key may not ask is left out, or noted where it matters. */
export async function* examineS3(
  client: S3Client,
  place: Place,
  clock: Clock,
  signal: AbortSignal,
): AsyncIterable<Observation> {
  yield observeAddress(place);
  const trials = [
    ['large objects', tryParts],
    ['unfinished parts', tryUploads],
    ['conditional writes', tryConditions],
    ['versions', tryVersions],
    ['clock', (...[, { address }]: Parameters<typeof tryParts>) => tryClock(client, address, clock, signal)],
  ] as const;
  for (const [trait, attempt] of trials) {
    try {
      yield await attempt(client, place, signal);
    } catch (error) {
      throwIfAborted(signal);
      yield { trait, verdict: 'bad', found: reasonOf(error) };
    }
  }
}

function observeAddress({ address: { secure, host, lookup }, region, firstRegion }: Place): Observation {
  const found = `${secure ? 'TLS' : 'no TLS'}, region ${region}, ${LOOKUPS[lookup]}`;
  const here = /^(127\.|localhost\b|\[::1\])/.test(host);
  const advice = [
    ...(region === firstRegion
      ? []
      : [
          `Set the region, to save a question at each start: AWS_REGION=${region}, or ?region=${region} in the address.`,
        ]),
    ...(secure || here ? [] : ['Others on the way see which objects exist: use https: if the server has it.']),
  ].join(' ');
  if (advice === '') return { trait: 'address', verdict: 'good', found };
  return { trait: 'address', verdict: 'note', found, advice };
}

const LOOKUPS = {
  auto: 'bucket where it is usual',
  dns: 'bucket before the host',
  path: 'bucket in the path',
} as const;

async function tryParts(client: S3Client, { address, root }: Place, signal: AbortSignal): Promise<Observation> {
  const { GetObjectCommand } = await import('@aws-sdk/client-s3');
  const object = { Bucket: address.bucket, Key: `${root}parts` };
  const bytes = new Uint8Array(TWO_PARTS).map((_, at) => at % 251);
  await writeInParts(client, object, bytes, signal, 0);
  const { Body } = await client.send(new GetObjectCommand(object), { abortSignal: signal });
  const read = (await Body?.transformToByteArray()) ?? new Uint8Array();
  const trait = 'large objects';
  if (Buffer.compare(read, bytes) === 0) return { trait, verdict: 'good', found: 'are taken in parts' };
  return { trait, verdict: 'bad', found: `are not what their parts were: ${read.length} of ${bytes.length} bytes` };
}

async function tryUploads(client: S3Client, { address, root }: Place, signal: AbortSignal): Promise<Observation> {
  const trait = 'unfinished parts';
  const { CreateMultipartUploadCommand, AbortMultipartUploadCommand } = await import('@aws-sdk/client-s3');
  const [Bucket, Key] = [address.bucket, `${root}unfinished`];
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }), { abortSignal: signal });
  const advice =
    'Let a rule of the bucket remove unfinished uploads after a day or two (AbortIncompleteMultipartUpload).';
  try {
    const found = await Array.fromAsync(unfinishedUploads(client, { Bucket, Prefix: Key }, signal));
    if (found.some((upload) => upload.UploadId === UploadId))
      return { trait, verdict: 'good', found: 'are listed: `respaldo prune` removes what killed backups have left' };
    return { trait, verdict: 'note', found: 'are not listed', advice };
  } catch (error) {
    if (!isDenied(error) && !isUnknownToServer(error)) throw error;
    return { trait, verdict: 'note', found: 'may not be listed', advice };
  } finally {
    await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }), { abortSignal: signal });
  }
}

/** Nothing here depends on them; what several machines share might. */
async function tryConditions(client: S3Client, { address, root }: Place, signal: AbortSignal): Promise<Observation> {
  const trait = 'conditional writes';
  const { PutObjectCommand } = await import('@aws-sdk/client-s3');
  const object = { Bucket: address.bucket, Key: `${root}condition`, IfNoneMatch: '*' };
  const outcomes = await Promise.all(
    Array.from({ length: RIVALS }, async (_, at) => {
      try {
        await client.send(new PutObjectCommand({ ...object, Body: new Uint8Array([at]) }), { abortSignal: signal });
        return 'written';
      } catch (error) {
        if (isTaken(error)) return 'taken';
        if (isUnknownToServer(error)) return 'unknown';
        throw error;
      }
    }),
  );
  const written = outcomes.filter((outcome) => outcome === 'written').length;
  if (written === 1) return { trait, verdict: 'good', found: `one of ${RIVALS} rivals wins` };
  const found = outcomes.includes('unknown') ? 'are refused' : `${written} of ${RIVALS} rivals win`;
  return { trait, verdict: 'note', found, advice: 'Backups do not need them: locks are objects of their own.' };
}

async function tryVersions(client: S3Client, { address }: Place, signal: AbortSignal): Promise<Observation> {
  const trait = 'versions';
  const { GetBucketVersioningCommand } = await import('@aws-sdk/client-s3');
  try {
    const asked = new GetBucketVersioningCommand({ Bucket: address.bucket });
    const { Status } = await client.send(asked, { abortSignal: signal });
    if (Status !== 'Enabled') return { trait, verdict: 'good', found: 'are not kept: what is removed is gone' };
    return {
      ...{ trait, verdict: 'note', found: 'are kept: what `prune` removes goes on taking space' },
      advice: 'They protect from mistakes; let a rule of the bucket remove noncurrent versions after some weeks.',
    };
  } catch (error) {
    if (!isDenied(error) && !isUnknownToServer(error)) throw error;
    return { trait, verdict: 'good', found: 'the key may not ask whether any are kept' };
  }
}

async function tryClock(
  client: S3Client,
  { bucket: Bucket }: S3Address,
  clock: Clock,
  signal: AbortSignal,
): Promise<Observation> {
  const { HeadBucketCommand } = await import('@aws-sdk/client-s3');
  const request = new HeadBucketCommand({ Bucket });
  const date = watchDate(request);
  await client.send(request, { abortSignal: signal }).catch((error: unknown) => {
    if (!isDenied(error)) throw error;
  });
  const written = new Date(date() ?? '');
  if (Number.isNaN(written.getTime()))
    return { trait: 'clock', verdict: 'note', found: 'the server does not say its time' };
  return observeClock({ written, now: clock.now() });
}

/** @returns what tells the answer's date, once it is there. */
function watchDate(request: HeadBucketCommand): () => string | undefined {
  let date: string | undefined;
  request.middlewareStack.add(
    (next) => async (args) => {
      const answer = await next(args);
      const { headers } = answer.response as { headers?: Readonly<Record<string, string>> };
      date = headers?.date;
      return answer;
    },
    { step: 'deserialize', priority: 'low' },
  );
  return () => date;
}

function reasonOf(error: unknown): string {
  const ours = s3Failure('try', 'it', error);
  return ours instanceof RespaldoError ? ours.message.replace(/^cannot try it: /, '') : String(error);
}
