import { RespaldoError, errnoOf } from '../../errors.ts';
import { FREE_SPACE } from '../free-space.ts';
import { networkVerdict } from '../network-errors.ts';

/** What an error of the SDK or of the network says, as far as it says it. */
interface Complaint {
  /** The server's own word: `NoSuchKey`. */
  readonly code: string | undefined;
  readonly status: number | undefined;
  readonly text: string;
}

type Verdict = readonly [code: 'store-missing' | 'store-refused' | 'store-full' | 'store-broken', hint?: string];

const KEYS =
  'Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or credentials: of the repository or archive in respaldo.yaml.';
const RIGHTS =
  'The key needs s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject and s3:DeleteObject on what lies in it.';
const TLS =
  'If the server has a certificate of its own, name its authority: s3:https://host/bucket?ca-file=FILE. If it speaks no TLS: s3:http://host/…';

/** What the servers' words mean, Amazon's and others'. */
const WORDS: Readonly<Record<string, Verdict>> = {
  InvalidAccessKeyId: ['store-refused', `The server does not know this access key. ${KEYS}`],
  SignatureDoesNotMatch: ['store-refused', `The secret key does not belong to the access key. ${KEYS}`],
  InvalidToken: ['store-refused', `The session token is not valid. ${KEYS}`],
  ExpiredToken: ['store-refused', 'The credentials were for a limited time, which is over: get new ones.'],
  CredentialsProviderError: [
    'store-refused',
    'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name the keys under credentials: of the repository or archive in respaldo.yaml, or a profile of ~/.aws.',
  ],
  AccessDenied: ['store-refused', RIGHTS],
  AllAccessDisabled: ['store-refused', RIGHTS],
  AccountProblem: ['store-refused', 'Ask the provider what is wrong with the account.'],
  InvalidObjectState: ['store-refused', 'It lies in an archive: bring it back with the tools of the provider first.'],
  RequestTimeTooSkewed: [
    'store-refused',
    "This machine's clock and the server's are far apart: set it, by NTP if possible.",
  ],
  RequestExpired: ['store-refused', "This machine's clock and the server's are far apart: set it."],
  InvalidBucketName: ['store-refused', 'A bucket has a name of 3 to 63 small letters, digits, dots and dashes.'],
  BucketAlreadyExists: ['store-refused', 'Somebody else has a bucket of this name: take another one.'],
  InvalidLocationConstraint: ['store-refused', 'Name the region: s3:https://host/bucket?region=NAME, or AWS_REGION.'],
  IllegalLocationConstraintException: ['store-refused', 'Name the region of the bucket: ?region=NAME, or AWS_REGION.'],
  AuthorizationHeaderMalformed: ['store-refused', 'Name the region of the bucket: ?region=NAME, or AWS_REGION.'],
  PermanentRedirect: ['store-refused', 'The bucket lies elsewhere: name its region by ?region=NAME, or its host.'],
  TooManyBuckets: ['store-refused', 'Make the bucket elsewhere, or remove one.'],
  QuotaExceeded: ['store-full', FREE_SPACE],
  ServiceQuotaExceeded: ['store-full', FREE_SPACE],
  InsufficientStorage: ['store-full', FREE_SPACE],
  XMinioStorageFull: ['store-full', FREE_SPACE],
  XMinioAdminBucketQuotaExceeded: ['store-full', FREE_SPACE],
  EntityTooLarge: ['store-refused', 'The server takes no object of this size.'],
  InvalidStorageClass: ['store-refused', 'The server has no such storage class: correct storage-class in the address.'],
  // May pass, although they come as mistakes of ours.
  RequestTimeout: ['store-broken'],
  BadDigest: ['store-broken'],
  IncompleteBody: ['store-broken'],
  XAmzContentSHA256Mismatch: ['store-broken'],
  OperationAborted: ['store-broken'],
  NoSuchUpload: ['store-broken'],
};

/** Whether there is no such object; of a request for its head alone, perhaps no such bucket. */
export function isNoSuchKey(error: unknown): boolean {
  const { code, status } = complaintOf(error);
  return code === 'NoSuchKey' || (status === 404 && code === 'NotFound');
}

export function isNoSuchBucket(error: unknown): boolean {
  return complaintOf(error).code === 'NoSuchBucket';
}

export function isBeyondTheEnd(error: unknown): boolean {
  const { code, status } = complaintOf(error);
  return code === 'InvalidRange' || status === 416;
}

export function isDenied(error: unknown): boolean {
  return complaintOf(error).status === 403;
}

/** Whether the server does not offer what was asked for. */
export function isUnknownToServer(error: unknown): boolean {
  const { code, status } = complaintOf(error);
  return code === 'NotImplemented' || code === 'MethodNotAllowed' || status === 405 || status === 501;
}

/** Whether there was an object already where a request asked that there be none. */
export function isTaken(error: unknown): boolean {
  const { status } = complaintOf(error);
  return status === 412 || status === 409;
}

/** The server answers only the head of a message, without a word why. */
export function isWordless(error: unknown): boolean {
  const { code, status } = complaintOf(error);
  return status !== undefined && (code === undefined || code === 'Unknown' || code === 'UnknownError');
}

/** The region in which the server wants to be asked, where it says so. */
export function regionWanted(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { Region: named, $response: response } = error as Error & { Region?: unknown; $response?: unknown };
  const headers = (response as { headers?: Readonly<Record<string, unknown>> } | undefined)?.headers;
  const region = named ?? headers?.['x-amz-bucket-region'];
  return typeof region === 'string' && /^[\w-]+$/.test(region) ? region : undefined;
}

/** A failed operation as one of ours. */
export function s3Failure(doing: string, what: string, error: unknown): unknown {
  if (error instanceof RespaldoError || !(error instanceof Error)) return error;
  const complaint = complaintOf(error);
  const [code, hint] = verdictOn(complaint, errnoOf(error));
  return new RespaldoError(code, `cannot ${doing} ${what}: ${complaint.text}`, {
    ...(hint !== undefined && { hint }),
    cause: error,
  });
}

function verdictOn({ code = '', status }: Complaint, errno?: string): Verdict {
  const known = WORDS[code] ?? networkVerdict(errno, TLS);
  if (known !== undefined) return known;
  if (status === 507) return ['store-full', FREE_SPACE];
  if (status === 401 || status === 403) return ['store-refused', RIGHTS];
  if (status === undefined || status >= 500 || status === 429 || status === 408) return ['store-broken'];
  if (status < 300) return ['store-broken', 'Is there really a server that speaks S3 at this address?'];
  return [
    'store-refused',
    'Is there really a server that speaks S3 at this address? `respaldo doctor store` tries it.',
  ];
}

/** The server's word and message. Neither holds a secret: the SDK shows no headers of ours. */
function complaintOf(error: unknown): Complaint {
  if (!(error instanceof Error)) return { code: undefined, status: undefined, text: String(error) };
  const { Code, $metadata } = error as Error & { Code?: unknown; $metadata?: { httpStatusCode?: number } };
  const code = typeof Code === 'string' ? Code : error.name === 'Error' ? undefined : error.name;
  const status = $metadata?.httpStatusCode;
  return { code, status, text: describe(error, code, status) };
}

function describe(error: Error, code: string | undefined, status: number | undefined): string {
  if (code === 'TimeoutError') return 'the server was silent for too long';
  const silent = error.message === '' || error.message === 'UnknownError';
  const [message = ''] = silent ? [] : error.message.trim().split('\n');
  const word = code === undefined || code === 'Unknown' || code === 'UnknownError' ? undefined : code;
  if (message !== '' && (word === undefined || status === undefined)) return message;
  if (word !== undefined) return message === '' ? word : `${message} (${word})`;
  return `the server answered ${status === undefined ? 'nothing that can be understood' : `with status ${status}`}`;
}
