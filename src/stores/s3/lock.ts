/** Object locks: nobody removes or replaces what is locked before its time. */
import type { CreateMultipartUploadCommandInput, HeadObjectCommandOutput, S3Client } from '@aws-sdk/client-s3';

import { RespaldoError } from '../../errors.ts';
import { isDenied, isUnknownToServer } from './errors.ts';

/** Where an object is going to lie, and how. */
export type NewObject = Pick<
  CreateMultipartUploadCommandInput,
  | 'StorageClass'
  | 'ServerSideEncryption'
  | 'SSEKMSKeyId'
  | 'ObjectLockMode'
  | 'ObjectLockRetainUntilDate'
  | 'ChecksumAlgorithm'
> & {
  readonly Bucket: string;
  readonly Key: string;
  /** `*`: only where nothing is. */
  readonly IfNoneMatch?: '*';
};

/**
 * Asks before anything is sent whether the bucket has locks at all; who may not ask is told by the server later.
 * @throws RespaldoError `store-refused` if it has none.
 */
export async function requireLocks(client: S3Client, Bucket: string, abortSignal: AbortSignal): Promise<void> {
  const { GetObjectLockConfigurationCommand } = await import('@aws-sdk/client-s3');
  const answer = await client
    .send(new GetObjectLockConfigurationCommand({ Bucket }), { abortSignal })
    .catch((error: unknown) => {
      if (error instanceof Error && error.name === 'ObjectLockConfigurationNotFoundError') return undefined;
      if (isUnknownToServer(error)) return undefined;
      if (isDenied(error)) return { ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled' } };
      throw error;
    });
  if (answer?.ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled') return;
  throw new RespaldoError('store-refused', `the bucket ${Bucket} knows no object locks`, {
    hint: 'Most servers give them only to a bucket that is made with object lock switched on: make another one, or leave object-lock out of the address.',
  });
}

/**
 * Sees to it that an object is locked for as long as was asked for. Some servers forget this of objects that come in
 * parts.
 * @throws RespaldoError `store-refused` if it is not, and what the server says.
 */
export async function ensureLock(
  client: S3Client,
  object: NewObject,
  VersionId: string | undefined,
  abortSignal: AbortSignal,
): Promise<void> {
  const { ObjectLockMode: Mode, ObjectLockRetainUntilDate: RetainUntilDate } = object;
  if (Mode === undefined || RetainUntilDate === undefined) return;
  const { HeadObjectCommand, PutObjectRetentionCommand } = await import('@aws-sdk/client-s3');
  const found = { Bucket: object.Bucket, Key: object.Key, ...(VersionId !== undefined && { VersionId }) };
  const isLocked = (head: HeadObjectCommandOutput): boolean =>
    head.ObjectLockMode === Mode && Math.abs(untilOf(head) - RetainUntilDate.getTime()) < TOLERANCE;
  const look = () => client.send(new HeadObjectCommand(found), { abortSignal });
  if (isLocked(await look())) return;
  const lock = new PutObjectRetentionCommand({ ...found, Retention: { Mode, RetainUntilDate } });
  await client.send(lock, { abortSignal });
  if (isLocked(await look())) return;
  throw new RespaldoError('store-refused', `the server was asked to lock ${object.Key}, and does not say that it did`, {
    hint: 'The object is there, and not locked. Leave object-lock out of the address, or take another server.',
  });
}

/** Servers round to seconds. Milliseconds. */
const TOLERANCE = 2000;

function untilOf({ ObjectLockRetainUntilDate }: HeadObjectCommandOutput): number {
  return ObjectLockRetainUntilDate?.getTime() ?? 0;
}
