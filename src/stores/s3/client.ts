import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';

import type { AccessKeys } from '../../domain/plan.ts';
import { trustedCertificates } from '../certificates.ts';
import type { S3Address } from './address.ts';

export interface S3ClientOptions {
  /** Absent: those of the environment, of `~/.aws`, of the machine: the SDK's usual chain. */
  readonly credentials?: AccessKeys;
  /** Where relative paths start from: an absolute path. */
  readonly workingDirectory: string;
  /** How far this program's time is from the machine's. Milliseconds. */
  readonly clockOffset: number;
}

/** Connections at most. */
const SOCKETS = 64;
/** Milliseconds until somebody must have answered, and how long a line may be silent. */
const TIMEOUTS = { connectionTimeout: 15_000, socketTimeout: 60_000 };
/** Amazon's own names; the SDK then finds the server of the bucket's region by itself. */
const AMAZON = /^s3(?:[.-](dualstack\.)?([a-z]{2}(?:-[a-z]+)+-\d+))?\.amazonaws\.com(?:\.cn)?$/;
const DEFAULT_REGION = 'us-east-1';

/**
 * A client that asks once: who uses it decides what is tried again. Loads the SDK.
 * @param region asked before each request, so that it may change.
 * @throws RespaldoError `store-refused` if the file of certificates cannot be read.
 */
export async function makeS3Client(
  address: S3Address,
  region: () => string,
  { credentials, workingDirectory, clockOffset }: S3ClientOptions,
): Promise<S3Client> {
  const agent = { keepAlive: true, maxSockets: SOCKETS };
  const authorities = address.secure ? { ca: await trustedCertificates(address.caFile, workingDirectory) } : {};
  const { S3Client } = await import('@aws-sdk/client-s3');
  return new S3Client({
    ...endpointOf(address),
    region: () => Promise.resolve(region()),
    ...(credentials && { credentials }),
    ...(address.profile !== undefined && { profile: address.profile }),
    maxAttempts: 1,
    systemClockOffset: clockOffset,
    requestHandler: { ...TIMEOUTS, httpAgent: agent, httpsAgent: { ...agent, ...authorities } },
    // Many servers refuse the newer sums. Content is signed, so that a server notices what was changed on the way.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // The SDK makes a new connection for each request that waits for the server's consent.
    expectContinueHeader: false,
    logger: SILENT,
  });
}

/** The region to begin with: what the address says, what its host says, what the environment says. */
export function firstRegion({ region, host }: S3Address, env: Readonly<Record<string, string | undefined>>): string {
  return region ?? AMAZON.exec(host)?.[2] ?? (env.AWS_REGION || env.AWS_DEFAULT_REGION || DEFAULT_REGION);
}

function endpointOf({ secure, host, lookup }: S3Address): S3ClientConfig {
  const amazon = secure ? AMAZON.exec(host) : null;
  if (amazon !== null) {
    return {
      followRegionRedirects: true,
      useDualstackEndpoint: amazon[1] !== undefined,
      forcePathStyle: lookup === 'path',
    };
  }
  return { endpoint: `${secure ? 'https' : 'http'}://${host}`, forcePathStyle: lookup !== 'dns' };
}

const nothing = (): void => undefined;
/** What it has to say, errors say. */
const SILENT = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };
