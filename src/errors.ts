/**
 * Every way an operation can fail, and what each means to a shell, an HTTP client and a retry loop.
 * Exit codes 3, 10, 11, 12 and 130 keep restic's meaning.
 */
interface Meaning {
  readonly exit: number;
  readonly http: number;
  /** Whether the same call may succeed if tried again later without anybody's help. */
  readonly retry: boolean;
}

export const ERRORS = {
  internal: { exit: 1, http: 500, retry: false },
  usage: { exit: 2, http: 400, retry: false },
  config: { exit: 2, http: 400, retry: false },
  incomplete: { exit: 3, http: 500, retry: false },
  'repository-missing': { exit: 10, http: 404, retry: false },
  'repository-locked': { exit: 11, http: 409, retry: true },
  'wrong-password': { exit: 12, http: 401, retry: false },
  'repository-exists': { exit: 1, http: 409, retry: false },
  'repository-damaged': { exit: 1, http: 500, retry: false },
  'not-proven': { exit: 1, http: 409, retry: false },
  'repository-unsupported': { exit: 1, http: 500, retry: false },
  'snapshot-missing': { exit: 1, http: 404, retry: false },
  'path-missing': { exit: 1, http: 404, retry: false },
  'target-not-empty': { exit: 1, http: 409, retry: false },
  'target-unsafe': { exit: 1, http: 409, retry: false },
  'target-full': { exit: 1, http: 507, retry: false },
  'target-refused': { exit: 1, http: 403, retry: false },
  'source-missing': { exit: 1, http: 404, retry: false },
  'source-refused': { exit: 1, http: 502, retry: false },
  'source-lost': { exit: 1, http: 502, retry: true },
  'source-damaged': { exit: 1, http: 502, retry: false },
  'store-missing': { exit: 1, http: 404, retry: false },
  'store-refused': { exit: 1, http: 403, retry: false },
  'store-full': { exit: 1, http: 507, retry: false },
  'store-broken': { exit: 1, http: 502, retry: true },
  'command-failed': { exit: 1, http: 502, retry: false },
  'hook-failed': { exit: 1, http: 502, retry: false },
  /** Of several plans, for more than one reason. */
  'plans-failed': { exit: 1, http: 500, retry: false },
  'tool-missing': { exit: 1, http: 500, retry: false },
  cancelled: { exit: 130, http: 499, retry: false },
} as const satisfies Record<string, Meaning>;

export type ErrorCode = keyof typeof ERRORS;

export interface ErrorDetails {
  /** What to do about it: a sentence. */
  readonly hint?: string;
  /** Facts for a log, without secrets. */
  readonly context?: Readonly<Record<string, string | number | boolean>>;
  readonly cause?: unknown;
}

/** The one class of error. The message says what happened and where; `hint` says what to do. */
export class RespaldoError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly context: Readonly<Record<string, string | number | boolean>>;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'RespaldoError';
    this.code = code;
    this.hint = details.hint;
    this.context = details.context ?? {};
  }

  get exit(): number {
    return ERRORS[this.code].exit;
  }

  get retry(): boolean {
    return ERRORS[this.code].retry;
  }
}

/** Whether `error` is one of ours with this code. */
export function isError(error: unknown, code: ErrorCode): error is RespaldoError {
  return error instanceof RespaldoError && error.code === code;
}

/** Any thrown value as one of ours. What is not in the table is a bug and says so; an abort is `cancelled`. */
export function toRespaldoError(error: unknown): RespaldoError {
  if (error instanceof RespaldoError) return error;
  if (error instanceof Error && error.name === 'AbortError')
    return new RespaldoError('cancelled', 'cancelled', { cause: error });
  const message = error instanceof Error ? error.message : String(error);
  return new RespaldoError('internal', `unexpected error: ${message}`, {
    hint: 'This is a bug in Respaldo: please report it with the output of the same command under --verbose.',
    cause: error,
  });
}

/** The errno name (`ENOENT` …) of a system error, or undefined. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Ends what was aborted: throws the signal's own reason where it is one of ours (a lost lock), else `cancelled`. */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw abortError(signal);
}

/** What {@link throwIfAborted} throws. */
export function abortError(signal: AbortSignal): RespaldoError {
  if (signal.reason instanceof RespaldoError) return signal.reason;
  return new RespaldoError('cancelled', 'cancelled', { cause: signal.reason });
}
