import type { IncomingHttpHeaders } from 'node:http';

import { RespaldoError, errnoOf } from '../../errors.ts';
import { FREE_SPACE } from '../free-space.ts';
import { networkVerdict } from '../network-errors.ts';

/** A status that was not hoped for. Holds nothing of what was sent. */
export class DavRefusal extends Error {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;

  constructor(refusal: { method: string; status: number; text: string; headers: IncomingHttpHeaders }) {
    const { method, status, text, headers } = refusal;
    super(`the server answered ${method} with status ${status}${text === '' ? '' : `: ${text}`}`);
    this.status = status;
    this.headers = headers;
  }
}

type Verdict = readonly [code: 'store-missing' | 'store-refused' | 'store-full' | 'store-broken', hint?: string];

const LOGIN =
  'Check the user in the address, and RESPALDO_WEBDAV_PASSWORD or credentials: { password: … } in respaldo.yaml.';
const TRUST =
  'If the server has a certificate of its own, name its authority: webdav:https://user@host/folder?ca-file=FILE. If it speaks no TLS: webdav:http://…';
const NO_SERVER = 'Is there really a server that speaks WebDAV at this address? `respaldo doctor store` tries it.';

export function isAbsence(error: unknown): boolean {
  return statusOf(error) === 404 || statusOf(error) === 410;
}

/** As a server says it: there is nothing that could be an object. */
export function absence(): DavRefusal {
  return new DavRefusal({ method: 'PROPFIND', status: 404, text: '', headers: {} });
}

/** Whether it may be that a folder is missing. The protocol has a word for it, 409; servers have others: nginx says 500. */
export function mayLackFolder(error: unknown): boolean {
  return error instanceof DavRefusal && ![401, 413, 507].includes(error.status);
}

export function statusOf(error: unknown): number | undefined {
  return error instanceof DavRefusal ? error.status : undefined;
}

/** A failed operation as one of ours. */
export function davFailure(doing: string, what: string, error: unknown): unknown {
  if (error instanceof RespaldoError || !(error instanceof Error)) return error;
  const [code, hint] = verdictOn(error);
  return new RespaldoError(code, `cannot ${doing} ${what}: ${error.message}`, {
    ...(hint !== undefined && { hint }),
    cause: error,
  });
}

function verdictOn(error: Error): Verdict {
  if (!(error instanceof DavRefusal)) return networkVerdict(errnoOf(error), TRUST) ?? ['store-broken'];
  const { status, headers } = error;
  if (status === 401) return ['store-refused', loginHint(headers['www-authenticate'])];
  if (status === 403) return ['store-refused', 'The user may not do this there: ask who runs the server.'];
  if (status === 507) return ['store-full', FREE_SPACE];
  if (status === 413) return ['store-refused', 'The server takes no file of this size: raise its limit.'];
  if (status >= 300 && status < 400) return ['store-refused', redirectionHint(headers.location)];
  // Busy, locked by another client, or the way to the server is.
  if (status >= 500 || [408, 409, 423, 425, 429].includes(status)) return ['store-broken'];
  return ['store-refused', NO_SERVER];
}

function loginHint(challenge = ''): string {
  if (challenge === '' || /\bbasic\b/i.test(challenge)) return LOGIN;
  return 'The server wants another kind of login than Basic, which is the only one that works here: change that there.';
}

function redirectionHint(location = ''): string {
  const url = URL.parse(location);
  if (url === null) return NO_SERVER;
  return `It lies elsewhere, at ${url.protocol}//${url.host}: use that in the address if you trust it.`;
}
