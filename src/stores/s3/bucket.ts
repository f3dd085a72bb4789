import type * as Sdk from '@aws-sdk/client-s3';
import type { S3Client, StorageClass } from '@aws-sdk/client-s3';

import type { Clock } from '../../clock.ts';
import { systemClock } from '../../clock.ts';
import type { AccessKeys } from '../../domain/plan.ts';
import { RespaldoError, throwIfAborted } from '../../errors.ts';
import { Gate } from '../gate.ts';
import { noSuchObject } from '../object-errors.ts';
import { assertKey } from '../store.ts';
import { describeS3, type S3Address } from './address.ts';
import { firstRegion, makeS3Client } from './client.ts';
import { isDenied, isNoSuchBucket, isNoSuchKey, isWordless, regionWanted, s3Failure } from './errors.ts';
import { type NewObject, requireLocks } from './lock.ts';

/** What an operation is done with. */
export interface S3Tools {
  readonly client: S3Client;
  readonly sdk: typeof Sdk;
}

export interface S3BucketOptions {
  readonly credentials?: AccessKeys;
  readonly clock: Clock;
  /** Where a relative path to certificates starts from: an absolute path. */
  readonly workingDirectory: string;
}

/** Each may hold an object in memory, and several connections. */
const OPERATIONS = 16;
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * A bucket of a server that speaks S3, or what lies below a prefix in it: whom it is asked through, how its objects are
 * named there, and what its errors mean. Loads the SDK when it is first needed.
 */
export class S3Bucket {
  readonly location: string;
  readonly address: S3Address;
  /** Before each key. */
  readonly root: string;
  readonly #options: S3BucketOptions;
  readonly #gate = new Gate(OPERATIONS);
  #region: string;
  #hasLocks = false;
  #tools: Promise<S3Tools> | undefined;

  constructor(address: S3Address, options: S3BucketOptions) {
    this.location = describeS3(address);
    this.address = address;
    this.root = address.prefix === '' ? '' : `${address.prefix}/`;
    this.#options = options;
    this.#region = firstRegion(address, process.env);
  }

  /** In which the server is asked. */
  get region(): string {
    return this.#region;
  }

  /** For requests that are nobody's operation: outside the rules for errors. */
  async client(): Promise<S3Client> {
    return (await this.#connect()).client;
  }

  async close(): Promise<void> {
    const tools = this.#tools;
    this.#tools = undefined;
    (await tools?.catch(() => undefined))?.client.destroy();
  }

  /** Runs an operation under the rules for errors; once more where the server wants another region. */
  async do<T>(doing: string, key: string, signal: AbortSignal, work: (tools: S3Tools) => Promise<T>): Promise<T> {
    throwIfAborted(signal);
    return this.hold(signal, (tools) => this.ask(tools, doing, key, () => work(tools), signal));
  }

  /** Waits until it may, and does with the client what takes several requests: the caller asks each of them. */
  hold<T>(signal: AbortSignal, work: (tools: S3Tools) => Promise<T>): Promise<T> {
    return this.#gate.pass(signal, async () => work(await this.#connect()));
  }

  /** One request under the rules for errors; once more where the server wants another region. */
  async ask<T>(tools: S3Tools, doing: string, key: string, request: () => Promise<T>, signal: AbortSignal): Promise<T> {
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

  #connect(): Promise<S3Tools> {
    return (this.#tools ??= this.#makeTools().catch((error: unknown) => {
      this.#tools = undefined;
      throw error;
    }));
  }

  async #makeTools(): Promise<S3Tools> {
    const { clock, workingDirectory, credentials } = this.#options;
    const client = await makeS3Client(this.address, () => this.#region, {
      workingDirectory,
      clockOffset: clock.now().getTime() - systemClock.now().getTime(),
      ...(credentials && { credentials }),
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
  async #explained(tools: S3Tools, doing: string, key: string, error: unknown, signal: AbortSignal): Promise<unknown> {
    const absent = isNoSuchKey(error);
    let reason = error;
    if (isWordless(error) || (absent && doing === 'look at')) {
      const request = { Bucket: this.address.bucket, Prefix: this.root, MaxKeys: 1 };
      reason = await tools.client
        .send(new tools.sdk.ListObjectsV2Command(request), { abortSignal: signal })
        .then(() => error)
        .catch((told: unknown) => (isDenied(error) || isNoSuchBucket(told) ? told : error));
    }
    if (isNoSuchBucket(reason)) return this.#noSuchBucket(reason);
    if (absent) return noSuchObject(this.name(key), error);
    return s3Failure(doing, this.name(key), reason);
  }

  /** Where an object lies. */
  object(key: string): { Bucket: string; Key: string } {
    assertKey(key);
    return { Bucket: this.address.bucket, Key: this.root + key };
  }

  /** Once, and only where locks are asked for. */
  async requireLocks(client: S3Client, signal: AbortSignal): Promise<void> {
    if (this.address.keeping.lock === undefined || this.#hasLocks) return;
    await requireLocks(client, this.address.bucket, signal);
    this.#hasLocks = true;
  }

  /** Where an object is going to lie, and how: as the address says. */
  newObject(key: string): NewObject {
    const { storageClass, encryption, encryptionKey, lock, checksum } = this.address.keeping;
    // A lock is taken only with a sum of what is locked.
    const ChecksumAlgorithm = checksum ?? (lock && 'CRC32');
    return {
      ...this.object(key),
      ...(storageClass !== undefined && { StorageClass: storageClass as StorageClass }),
      ...(encryption && { ServerSideEncryption: encryption }),
      ...(encryptionKey !== undefined && { SSEKMSKeyId: encryptionKey }),
      ...(lock && {
        ObjectLockMode: lock.mode,
        ObjectLockRetainUntilDate: new Date(this.#options.clock.now().getTime() + lock.days * DAY_MS),
      }),
      ...(ChecksumAlgorithm && { ChecksumAlgorithm }),
    };
  }

  /** For people. */
  name(key: string): string {
    return key === '' ? this.location : `${key} in ${this.location}`;
  }

  #noSuchBucket(cause: unknown): RespaldoError {
    const { bucket, host } = this.address;
    return new RespaldoError('store-missing', `there is no bucket ${bucket} at ${host}`, {
      hint: 'Check the address. `respaldo init` makes the bucket, if the key may.',
      cause,
    });
  }
}
