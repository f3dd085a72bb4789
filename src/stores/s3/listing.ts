/** A bucket's list of its objects, page by page. */
import type { ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';

import type { StoredObject } from '../store.ts';
import { isTemporary } from '../store.ts';
import type { S3Bucket, S3Tools } from './bucket.ts';
import { isNoSuchBucket } from './errors.ts';

export interface ListPage {
  readonly objects: readonly StoredObject[];
  /** What to ask for next; undefined: this was the last page. */
  readonly next: string | undefined;
}

/** Of what lies below a prefix; nothing where there is no bucket. Names are encoded: XML cannot hold all of them. */
export async function pageOfList(
  { client, sdk }: S3Tools,
  { address, root }: Pick<S3Bucket, 'address' | 'root'>,
  prefix: string,
  after: string | undefined,
  abortSignal: AbortSignal,
): Promise<ListPage> {
  const request = new sdk.ListObjectsV2Command({
    ...{ Bucket: address.bucket, Prefix: root + prefix, EncodingType: 'url' },
    ...(after !== undefined && { ContinuationToken: after }),
  });
  try {
    const page = await client.send(request, { abortSignal });
    requireList(page);
    const all = (page.Contents ?? []).map(({ Key = '', Size = 0 }) => ({
      key: decodeKey(Key).slice(root.length),
      size: Size,
    }));
    return { objects: all.filter(({ key }) => isObject(key)), next: nextOf(page) };
  } catch (error) {
    if (isNoSuchBucket(error)) return { objects: [], next: undefined };
    throw error;
  }
}

/** What is no list, or ends too early, must never pass for a place with nothing in it. */
function requireList(page: ListObjectsV2CommandOutput): void {
  if (page.Name === undefined && page.IsTruncated === undefined)
    throw new Error('what the server answered is no list of objects');
  if (page.IsTruncated === true && !page.NextContinuationToken)
    throw new Error('the server did not say how its list goes on');
}

function nextOf({ IsTruncated, NextContinuationToken }: ListObjectsV2CommandOutput): string | undefined {
  return IsTruncated === true ? NextContinuationToken : undefined;
}

/** Amazon writes a space as a plus, others as %20; a plus itself is %2B to all of them. */
function decodeKey(encoded: string): string {
  return decodeURIComponent(encoded.replaceAll('+', ' '));
}

/** Not the marker of a folder that other programs make, nor what they are still writing. */
function isObject(key: string): boolean {
  return key.split('/').every((part) => part !== '') && !isTemporary(key);
}
