import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';

import type { Clock } from '../../clock.ts';
import { systemClock } from '../../clock.ts';
import type { Observation } from '../../domain/observation.ts';
import type { AccessKeys } from '../../domain/plan.ts';
import { throwIfAborted } from '../../errors.ts';
import { LONGEST_WRITE_MS, sweptPrefixes } from '../layout.ts';
import { tooShort } from '../object-errors.ts';
import { NETWORK_PATIENCE, type Patience, persist } from '../patience.ts';
import type { Store, StoredObject, SumComparison } from '../store.ts';
import { assertKey } from '../store.ts';
import type { S3Address } from './address.ts';
import { readBody } from './body.ts';
import { S3Bucket, type S3Tools } from './bucket.ts';
import { firstRegion } from './client.ts';
import { isBeyondTheEnd, isDenied, isNoSuchBucket, isNoSuchKey, isTaken, isUnknownToServer } from './errors.ts';
import { pageOfList } from './listing.ts';
import { ONE_PART, type Persist, sendWhole, unfinishedUploads, writeInParts } from './parts.ts';
import { SentObjects } from './sent-objects.ts';
import { writeStreamInParts } from './stream.ts';
import { compareWithSent, SentSums } from './sums.ts';

type Range = { readonly offset: number; readonly length: number };

export interface S3StoreOptions {
  readonly credentials?: AccessKeys;
  readonly clock?: Clock;
  /** With the requests of a stream; all others are sent once. */
  readonly patience?: Patience;
}

/**
 * A bucket of a server that speaks S3, or what lies below a prefix in it, laid out as restic does it.
 *
 * An object appears whole, when the server has all of it, large ones sent in parts included. What is refused is not
 * asked again; what may pass is for {@link RetryingStore}. Loads the SDK when it is first needed.
 */
export class S3Store implements Store {
  readonly location: string;
  /** Each request is signed together with a SHA-256 of its content. */
  readonly compares = true;
  readonly #bucket: S3Bucket;
  readonly #clock: Clock;
  readonly #patience: Patience;
  /** What {@link writeStream} has sent, by key. */
  readonly #sent = new SentObjects();

  /** @param workingDirectory where a relative path to certificates starts from: an absolute path. */
  constructor(
    address: S3Address,
    workingDirectory: string,
    { credentials, clock = systemClock, patience = NETWORK_PATIENCE }: S3StoreOptions = {},
  ) {
    this.#bucket = new S3Bucket(address, { workingDirectory, clock, ...(credentials && { credentials }) });
    this.location = this.#bucket.location;
    this.#clock = clock;
    this.#patience = patience;
  }

  /** Makes the bucket, for who may. Who may not even look for it may still use it. */
  create(signal: AbortSignal): Promise<void> {
    const { bucket: Bucket } = this.#bucket.address;
    const isLocking = this.#bucket.address.keeping.lock !== undefined;
    return this.#bucket.do('create', '', signal, async ({ client, sdk }) => {
      try {
        await client.send(new sdk.HeadBucketCommand({ Bucket }), { abortSignal: signal });
      } catch (error) {
        if (isDenied(error)) return;
        if (!isNoSuchKey(error) && !isNoSuchBucket(error)) throw error;
        await client
          .send(new sdk.CreateBucketCommand({ Bucket, ...(isLocking && { ObjectLockEnabledForBucket: true }) }), {
            abortSignal: signal,
          })
          .catch((refusal: unknown) => {
            if (!(refusal instanceof sdk.BucketAlreadyOwnedByYou)) throw refusal;
          });
      }
    });
  }

  async *list(prefix: string, signal: AbortSignal): AsyncIterable<StoredObject> {
    if (prefix !== '') assertKey(prefix.replace(/\/$/, ''));
    let after: string | undefined;
    do {
      const page = await this.#bucket.do('list', prefix, signal, (tools) =>
        pageOfList(tools, this.#bucket, prefix, after, signal),
      );
      for (const object of page.objects) {
        throwIfAborted(signal);
        yield object;
      }
      after = page.next;
    } while (after !== undefined);
  }

  stat(key: string, signal: AbortSignal): Promise<StoredObject> {
    return this.#bucket.do('look at', key, signal, async (tools) => ({
      key,
      size: await this.#sizeOf(tools, key, signal),
    }));
  }

  read(key: string, range: Range | undefined, signal: AbortSignal): Promise<Uint8Array> {
    return this.#bucket.do('read', key, signal, async (tools) => {
      const found = this.#bucket.object(key);
      if (range?.length === 0) return this.#nothingOf(tools, key, range.offset, signal);
      const Range = range && `bytes=${range.offset}-${range.offset + range.length - 1}`;
      let answer: GetObjectCommandOutput;
      try {
        answer = await tools.client.send(new tools.sdk.GetObjectCommand({ ...found, ...(Range && { Range }) }), {
          abortSignal: signal,
        });
      } catch (error) {
        if (range === undefined || !isBeyondTheEnd(error)) throw error;
        throw tooShort(this.#bucket.name(key), await this.#sizeOf(tools, key, signal), range);
      }
      const bytes = await readBody(answer, range?.length, signal);
      if (range !== undefined && bytes.length < range.length)
        throw tooShort(this.#bucket.name(key), range.offset + bytes.length, range);
      return bytes;
    });
  }

  write(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    return this.#bucket.do('write', key, signal, async ({ client }) => {
      const object = this.#bucket.newObject(key);
      await this.#bucket.requireLocks(client, signal);
      const write = bytes.length > ONE_PART ? writeInParts : sendWhole;
      return write(client, object, bytes, signal);
    });
  }

  writeNew(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<boolean> {
    return this.#bucket.do('write', key, signal, async ({ client }) => {
      const object = this.#bucket.newObject(key);
      await this.#bucket.requireLocks(client, signal);
      try {
        await sendWhole(client, { ...object, IfNoneMatch: '*' }, bytes, signal);
      } catch (error) {
        if (isTaken(error)) return false;
        if (!isUnknownToServer(error)) throw error;
        await sendWhole(client, object, bytes, signal);
      }
      return true;
    });
  }

  /** Requests are sent again here, as they hold what was pulled: nobody else can ask for it again. */
  async writeStream(key: string, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<number> {
    const object = this.#bucket.newObject(key);
    throwIfAborted(signal);
    return this.#bucket.hold(signal, async (tools) => {
      const ask: Persist = (request, until) =>
        persist(() => this.#bucket.ask(tools, 'write', key, request, until), this.#patience, {}, until);
      await ask(() => this.#bucket.requireLocks(tools.client, signal), signal);
      const sums = new SentSums(this.#bucket.address.keeping);
      this.#sent.forget(key);
      const { size, isInParts } = await writeStreamInParts(tools.client, object, content, sums, ask, signal);
      this.#sent.keep(key, sums.end(isInParts));
      return size;
    });
  }

  /** Who may not be told sums is told none. */
  compareSums(key: string, signal: AbortSignal): Promise<SumComparison | undefined> {
    return this.#bucket.do('look at', key, signal, async ({ client, sdk }) => {
      const sent = this.#sent.get(key);
      if (sent === undefined) return undefined;
      const request = new sdk.HeadObjectCommand({ ...this.#bucket.object(key), ChecksumMode: 'ENABLED' });
      const told = await client.send(request, { abortSignal: signal }).catch((error: unknown) => {
        if (isDenied(error)) return {};
        throw error;
      });
      return compareWithSent(told, sent);
    });
  }

  remove(key: string, signal: AbortSignal): Promise<void> {
    this.#sent.forget(key);
    return this.#bucket.do('remove', key, signal, async ({ client, sdk }) => {
      try {
        await client.send(new sdk.DeleteObjectCommand(this.#bucket.object(key)), { abortSignal: signal });
      } catch (error) {
        if (!isNoSuchKey(error) && !isNoSuchBucket(error)) throw error;
      }
    });
  }

  /** Ends uploads in parts that nobody goes on with, where the key may list them: few servers do it by themselves. */
  async sweep(signal: AbortSignal, isOurs?: (key: string) => boolean): Promise<void> {
    for (const folder of sweptPrefixes(isOurs !== undefined)) {
      await this.#bucket.do('sweep', folder, signal, async (tools) => {
        try {
          await this.#endUploads(tools, folder, isOurs, signal);
        } catch (error) {
          if (!isDenied(error) && !isUnknownToServer(error) && !isNoSuchBucket(error)) throw error;
        }
      });
    }
  }

  async *examine(folder: string, signal: AbortSignal): AsyncIterable<Observation> {
    const [{ examineS3 }, client] = await Promise.all([import('./trial.ts'), this.#bucket.client()]);
    const { address, root, region } = this.#bucket;
    const place = { address, root: root + folder, region, firstRegion: firstRegion(address, process.env) };
    yield* examineS3(client, place, this.#clock, signal);
  }

  close(): Promise<void> {
    return this.#bucket.close();
  }

  async #endUploads(
    { client, sdk }: S3Tools,
    folder: string,
    isOurs: ((key: string) => boolean) | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { bucket: Bucket } = this.#bucket.address;
    const Prefix = this.#bucket.root + folder;
    const oldest = this.#clock.now().getTime() - LONGEST_WRITE_MS;
    for await (const { Key, UploadId, Initiated } of unfinishedUploads(client, { Bucket, Prefix }, signal)) {
      if (Initiated === undefined || Initiated.getTime() >= oldest) continue;
      if (isOurs?.((Key ?? '').slice(this.#bucket.root.length)) === false) continue;
      const ending = new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId });
      await client.send(ending, { abortSignal: signal }).catch((error: unknown) => {
        if (!(error instanceof sdk.NoSuchUpload)) throw error;
      });
    }
  }

  async #sizeOf({ client, sdk }: S3Tools, key: string, signal: AbortSignal): Promise<number> {
    const head = await client.send(new sdk.HeadObjectCommand(this.#bucket.object(key)), { abortSignal: signal });
    return head.ContentLength ?? 0;
  }

  /** No bytes, where even those are there to be read: the protocol has no range without bytes. */
  async #nothingOf(tools: S3Tools, key: string, offset: number, signal: AbortSignal): Promise<Uint8Array> {
    const size = await this.#sizeOf(tools, key, signal);
    if (offset > size) throw tooShort(this.#bucket.name(key), size, { offset, length: 0 });
    return new Uint8Array();
  }
}
