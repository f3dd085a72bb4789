import type * as Sdk from '@aws-sdk/client-s3';
import type { GetObjectCommandOutput, ListObjectsV2CommandOutput, S3Client, StorageClass } from '@aws-sdk/client-s3';

import type { Clock } from '../../clock.ts';
import { systemClock } from '../../clock.ts';
import type { Observation } from '../../domain/observation.ts';
import type { AccessKeys } from '../../domain/plan.ts';
import { RespaldoError, throwIfAborted } from '../../errors.ts';
import { Gate } from '../gate.ts';
import { NETWORK_PATIENCE, type Patience, persist } from '../patience.ts';
import { describeS3, type S3Address } from './address.ts';
import { readBody } from './body.ts';
import { firstRegion, makeS3Client } from './client.ts';
import {
  isBeyondTheEnd,
  isDenied,
  isNoSuchBucket,
  isNoSuchKey,
  isTaken,
  isUnknownToServer,
  isWordless,
  regionWanted,
  s3Failure,
} from './errors.ts';
import { type NewObject, requireLocks } from './lock.ts';
import { ONE_PART, type Persist, sendWhole, unfinishedUploads, writeInParts } from './parts.ts';
import { writeStreamInParts } from './stream.ts';
import { compareWithSent, SentSums } from './sums.ts';
import type { Store, StoredObject, SumComparison } from '../store.ts';
import { assertKey, isTemporary } from '../store.ts';

type Range = { readonly offset: number; readonly length: number };
/** What an operation is done with. */
interface Tools {
  readonly client: S3Client;
  readonly sdk: typeof Sdk;
}

export interface S3StoreOptions {
  readonly credentials?: AccessKeys;
  readonly clock?: Clock;
  /** With the requests of a stream; all others are sent once. */
  readonly patience?: Patience;
}

const FOLDERS = ['data', 'index', 'keys', 'locks', 'snapshots'];
/** What restic does not know: proofs, write-ahead logs. */
const OUR_FOLDER = 'respaldo';
/** Each may hold an object in memory, and several connections. */
const OPERATIONS = 16;
const DAY_MS = 24 * 60 * 60 * 1000;
/** No write of one object lasts so long. */
const LONGEST_WRITE_MS = DAY_MS;

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
  readonly #address: S3Address;
  readonly #workingDirectory: string;
  readonly #credentials: AccessKeys | undefined;
  readonly #clock: Clock;
  readonly #patience: Patience;
  readonly #gate = new Gate(OPERATIONS);
  /** Before each key. */
  readonly #root: string;
  /** What {@link writeStream} has sent, by key. */
  readonly #sent = new Map<string, ReturnType<SentSums['end']>>();
  #region: string;
  #hasLocks = false;
  #tools: Promise<Tools> | undefined;

  /** @param workingDirectory where a relative path to certificates starts from: an absolute path. */
  constructor(
    address: S3Address,
    workingDirectory: string,
    { credentials, clock = systemClock, patience = NETWORK_PATIENCE }: S3StoreOptions = {},
  ) {
    this.location = describeS3(address);
    this.#address = address;
    this.#workingDirectory = workingDirectory;
    this.#credentials = credentials;
    this.#clock = clock;
    this.#patience = patience;
    this.#root = address.prefix === '' ? '' : `${address.prefix}/`;
    this.#region = firstRegion(address, process.env);
  }

  /** Makes the bucket, for who may. Who may not even look for it may still use it. */
  create(signal: AbortSignal): Promise<void> {
    const { bucket: Bucket } = this.#address;
    const isLocking = this.#address.keeping.lock !== undefined;
    return this.#do('create', '', signal, async ({ client, sdk }) => {
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
    let token: string | undefined;
    do {
      const page = await this.#page(prefix, token, signal);
      for (const { Key = '', Size = 0 } of page?.Contents ?? []) {
        throwIfAborted(signal);
        const key = decodeKey(Key).slice(this.#root.length);
        if (isObject(key)) yield { key, size: Size };
      }
      token = page && nextOf(page);
    } while (token !== undefined);
  }

  stat(key: string, signal: AbortSignal): Promise<StoredObject> {
    return this.#do('look at', key, signal, async (tools) => ({ key, size: await this.#sizeOf(tools, key, signal) }));
  }

  read(key: string, range: Range | undefined, signal: AbortSignal): Promise<Uint8Array> {
    return this.#do('read', key, signal, async (tools) => {
      const found = this.#object(key);
      if (range?.length === 0) return this.#nothingOf(tools, key, range.offset, signal);
      const Range = range && `bytes=${range.offset}-${range.offset + range.length - 1}`;
      let answer: GetObjectCommandOutput;
      try {
        answer = await tools.client.send(new tools.sdk.GetObjectCommand({ ...found, ...(Range && { Range }) }), {
          abortSignal: signal,
        });
      } catch (error) {
        if (range === undefined || !isBeyondTheEnd(error)) throw error;
        throw this.#tooShort(key, await this.#sizeOf(tools, key, signal), range);
      }
      const bytes = await readBody(answer, range?.length, signal);
      if (range !== undefined && bytes.length < range.length)
        throw this.#tooShort(key, range.offset + bytes.length, range);
      return bytes;
    });
  }

  write(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    return this.#do('write', key, signal, async ({ client }) => {
      const object = this.#newObject(key);
      await this.#requireLocks(client, signal);
      const write = bytes.length > ONE_PART ? writeInParts : sendWhole;
      return write(client, object, bytes, signal);
    });
  }

  writeNew(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<boolean> {
    return this.#do('write', key, signal, async ({ client }) => {
      const object = this.#newObject(key);
      await this.#requireLocks(client, signal);
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
    const object = this.#newObject(key);
    throwIfAborted(signal);
    return this.#gate.pass(signal, async () => {
      const tools = await this.#connect();
      const ask: Persist = (request, until) =>
        persist(() => this.#ask(tools, 'write', key, request, until), this.#patience, {}, until);
      await ask(() => this.#requireLocks(tools.client, signal), signal);
      const sums = new SentSums(this.#address.keeping);
      this.#sent.delete(key);
      const { size, isInParts } = await writeStreamInParts(tools.client, object, content, sums, ask, signal);
      this.#sent.set(key, sums.end(isInParts));
      return size;
    });
  }

  /** Who may not be told sums is told none. */
  compareSums(key: string, signal: AbortSignal): Promise<SumComparison | undefined> {
    return this.#do('look at', key, signal, async ({ client, sdk }) => {
      const sent = this.#sent.get(key);
      if (sent === undefined) return undefined;
      const request = new sdk.HeadObjectCommand({ ...this.#object(key), ChecksumMode: 'ENABLED' });
      const told = await client.send(request, { abortSignal: signal }).catch((error: unknown) => {
        if (isDenied(error)) return {};
        throw error;
      });
      return compareWithSent(told, sent);
    });
  }

  remove(key: string, signal: AbortSignal): Promise<void> {
    this.#sent.delete(key);
    return this.#do('remove', key, signal, async ({ client, sdk }) => {
      try {
        await client.send(new sdk.DeleteObjectCommand(this.#object(key)), { abortSignal: signal });
      } catch (error) {
        if (!isNoSuchKey(error) && !isNoSuchBucket(error)) throw error;
      }
    });
  }

  /** Ends uploads in parts that nobody goes on with, where the key may list them: few servers do it by themselves. */
  async sweep(signal: AbortSignal, isOurs?: (key: string) => boolean): Promise<void> {
    for (const folder of isOurs === undefined ? [...FOLDERS, OUR_FOLDER].map((name) => `${name}/`) : ['']) {
      await this.#do('sweep', folder, signal, async (tools) => {
        try {
          await this.#endUploads(tools, folder, isOurs, signal);
        } catch (error) {
          if (!isDenied(error) && !isUnknownToServer(error) && !isNoSuchBucket(error)) throw error;
        }
      });
    }
  }

  async *examine(folder: string, signal: AbortSignal): AsyncIterable<Observation> {
    const [{ examineS3 }, { client }] = await Promise.all([import('./trial.ts'), this.#connect()]);
    const place = {
      address: this.#address,
      root: this.#root + folder,
      region: this.#region,
      firstRegion: firstRegion(this.#address, process.env),
    };
    yield* examineS3(client, place, this.#clock, signal);
  }

  async close(): Promise<void> {
    const tools = this.#tools;
    this.#tools = undefined;
    (await tools?.catch(() => undefined))?.client.destroy();
  }

  /** A page of a list; nothing where there is no bucket. Names are encoded: XML cannot hold all of them. */
  #page(prefix: string, token: string | undefined, signal: AbortSignal) {
    const { bucket: Bucket } = this.#address;
    const request = {
      ...{ Bucket, Prefix: this.#root + prefix, EncodingType: 'url' as const },
      ...(token !== undefined && { ContinuationToken: token }),
    };
    return this.#do('list', prefix, signal, async ({ client, sdk }) => {
      try {
        const page = await client.send(new sdk.ListObjectsV2Command(request), { abortSignal: signal });
        requireList(page);
        return page;
      } catch (error) {
        if (isNoSuchBucket(error)) return undefined;
        throw error;
      }
    });
  }

  async #endUploads(
    { client, sdk }: Tools,
    folder: string,
    isOurs: ((key: string) => boolean) | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { bucket: Bucket } = this.#address;
    const Prefix = this.#root + folder;
    const oldest = this.#clock.now().getTime() - LONGEST_WRITE_MS;
    for await (const { Key, UploadId, Initiated } of unfinishedUploads(client, { Bucket, Prefix }, signal)) {
      if (Initiated === undefined || Initiated.getTime() >= oldest) continue;
      if (isOurs?.((Key ?? '').slice(this.#root.length)) === false) continue;
      const ending = new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId });
      await client.send(ending, { abortSignal: signal }).catch((error: unknown) => {
        if (!(error instanceof sdk.NoSuchUpload)) throw error;
      });
    }
  }

  async #sizeOf({ client, sdk }: Tools, key: string, signal: AbortSignal): Promise<number> {
    const head = await client.send(new sdk.HeadObjectCommand(this.#object(key)), { abortSignal: signal });
    return head.ContentLength ?? 0;
  }

  /** No bytes, where even those are there to be read: the protocol has no range without bytes. */
  async #nothingOf(tools: Tools, key: string, offset: number, signal: AbortSignal): Promise<Uint8Array> {
    const size = await this.#sizeOf(tools, key, signal);
    if (offset > size) throw this.#tooShort(key, size, { offset, length: 0 });
    return new Uint8Array();
  }

  /** Runs an operation under the rules for errors; once more where the server wants another region. */
  async #do<T>(doing: string, key: string, signal: AbortSignal, work: (tools: Tools) => Promise<T>): Promise<T> {
    throwIfAborted(signal);
    return this.#gate.pass(signal, async () => {
      const tools = await this.#connect();
      return this.#ask(tools, doing, key, () => work(tools), signal);
    });
  }

  async #ask<T>(tools: Tools, doing: string, key: string, request: () => Promise<T>, signal: AbortSignal): Promise<T> {
    try {
      return await request();
    } catch (error) {
      throwIfAborted(signal);
      try {
        if (this.#follow(error)) return await request();
        throw error;
      } catch (last) {
        throwIfAborted(signal);
        throw await this.#explained(tools, doing, key, last, signal);
      }
    }
  }

  #connect(): Promise<Tools> {
    return (this.#tools ??= this.#makeTools().catch((error: unknown) => {
      this.#tools = undefined;
      throw error;
    }));
  }

  async #makeTools(): Promise<Tools> {
    const client = await makeS3Client(this.#address, () => this.#region, {
      workingDirectory: this.#workingDirectory,
      clockOffset: this.#clock.now().getTime() - systemClock.now().getTime(),
      ...(this.#credentials && { credentials: this.#credentials }),
    });
    return { client, sdk: await import('@aws-sdk/client-s3') };
  }

  /** @returns whether the server named another region, in which it is asked from now on. */
  #follow(error: unknown): boolean {
    const region = regionWanted(error);
    if (region === undefined || region === this.#region) return false;
    this.#region = region;
    return true;
  }

  /** One of ours. A request for a head gets no reason: another one is made to learn it. */
  async #explained(tools: Tools, doing: string, key: string, error: unknown, signal: AbortSignal): Promise<unknown> {
    const absent = isNoSuchKey(error);
    let reason = error;
    if (isWordless(error) || (absent && doing === 'look at')) {
      const request = { Bucket: this.#address.bucket, Prefix: this.#root, MaxKeys: 1 };
      reason = await tools.client
        .send(new tools.sdk.ListObjectsV2Command(request), { abortSignal: signal })
        .then(() => error)
        .catch((told: unknown) => (isDenied(error) || isNoSuchBucket(told) ? told : error));
    }
    if (isNoSuchBucket(reason)) return this.#noSuchBucket(reason);
    if (absent) return new RespaldoError('store-missing', `there is no ${this.#name(key)}`, { cause: error });
    return s3Failure(doing, this.#name(key), reason);
  }

  #object(key: string): { Bucket: string; Key: string } {
    assertKey(key);
    return { Bucket: this.#address.bucket, Key: this.#root + key };
  }

  /** Once, and only where locks are asked for. */
  async #requireLocks(client: S3Client, signal: AbortSignal): Promise<void> {
    if (this.#address.keeping.lock === undefined || this.#hasLocks) return;
    await requireLocks(client, this.#address.bucket, signal);
    this.#hasLocks = true;
  }

  #newObject(key: string): NewObject {
    const { storageClass, encryption, encryptionKey, lock, checksum } = this.#address.keeping;
    // A lock is taken only with a sum of what is locked.
    const ChecksumAlgorithm = checksum ?? (lock && 'CRC32');
    return {
      ...this.#object(key),
      ...(storageClass !== undefined && { StorageClass: storageClass as StorageClass }),
      ...(encryption && { ServerSideEncryption: encryption }),
      ...(encryptionKey !== undefined && { SSEKMSKeyId: encryptionKey }),
      ...(lock && {
        ObjectLockMode: lock.mode,
        ObjectLockRetainUntilDate: new Date(this.#clock.now().getTime() + lock.days * DAY_MS),
      }),
      ...(ChecksumAlgorithm && { ChecksumAlgorithm }),
    };
  }

  #name(key: string): string {
    return key === '' ? this.location : `${key} in ${this.location}`;
  }

  #noSuchBucket(cause: unknown): RespaldoError {
    const { bucket, host } = this.#address;
    return new RespaldoError('store-missing', `there is no bucket ${bucket} at ${host}`, {
      hint: 'Check the address. `respaldo init` makes the bucket, if the key may.',
      cause,
    });
  }

  #tooShort(key: string, size: number, { offset, length }: Range): RespaldoError {
    return new RespaldoError(
      'store-broken',
      `${this.#name(key)} is too short: it has ${size} bytes, ${length} were asked for from ${offset}`,
      { hint: '`respaldo check` tells what else is damaged.' },
    );
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
