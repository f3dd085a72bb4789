import type { HookBody } from '../../domain/hook.ts';
import { filled, type RunFacts } from '../../domain/run-facts.ts';
import { RespaldoError } from '../../errors.ts';

/** A request with its secrets in place: never logged. */
export interface HookRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body?: HookBody;
  /** What its address and body are filled with. */
  readonly facts: RunFacts;
}

/** Characters of an answer that are read. */
const ANSWER = 2000;

/**
 * Asks once. Where the server would have it go elsewhere it does not: its headers may be secrets that are meant for nobody
 * else.
 * @returns the beginning of the answer
 * @throws RespaldoError `command-failed` for an answer other than 2xx, or none
 */
export async function send(request: HookRequest, signal: AbortSignal): Promise<string> {
  const { method, facts } = request;
  const url = filled(request.url, facts, encodeURIComponent);
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) throw failed('the address is none of http: or https:');
  const { body, type } = contentOf(request.body, facts);
  const headers = headersOf(request);
  if (type !== undefined && !headers.has('content-type')) headers.set('content-type', type);
  const init = { method, headers, redirect: 'manual', signal, ...(body !== undefined && { body }) } as const;
  const response = await fetch(url, init).catch((error: unknown) => {
    throw failed(`nobody answered: ${reasonOf(error)}`);
  });
  const answer = await beginningOf(response);
  if (response.ok) return answer;
  const said = answer === '' ? '' : `:\n${answer}`;
  const elsewhere = response.headers.get('location');
  throw failed(
    `the answer was ${String(response.status)} ${response.statusText}${said}`,
    elsewhere === null ? undefined : 'It was sent elsewhere. Requests of hooks follow nobody: write the new address.',
  );
}

/** A header that is none is told by its name: its value may be a secret. */
function headersOf({ headers }: HookRequest): Headers {
  const all = new Headers();
  for (const [name, value] of headers) {
    try {
      all.set(name, value);
    } catch {
      throw failed(`the header ${name} has a name or a value that no header can have`);
    }
  }
  return all;
}

function contentOf(body: HookBody | undefined, facts: RunFacts): { readonly body?: string; readonly type?: string } {
  if (body === undefined) return {};
  if (typeof body === 'string') return { body: filled(body, facts), type: 'text/plain; charset=utf-8' };
  return { body: JSON.stringify(filledIn(body.json, facts)), type: 'application/json' };
}

/** All texts in it, so that a fact cannot end one of them. */
function filledIn(value: unknown, facts: RunFacts): unknown {
  if (typeof value === 'string') return filled(value, facts);
  if (Array.isArray(value)) return value.map((one) => filledIn(one, facts));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, filledIn(one, facts)]));
}

async function beginningOf(response: Response): Promise<string> {
  if (response.body === null) return '';
  const decoder = new TextDecoder();
  let text = '';
  for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(piece, { stream: true });
    // Leaving the loop cancels the rest.
    if (text.length > ANSWER) return `${text.slice(0, ANSWER)} …`;
  }
  return text.trim();
}

function failed(message: string, hint?: string): RespaldoError {
  return new RespaldoError('command-failed', message, { ...(hint !== undefined && { hint }) });
}

/** What fetch throws says nothing; its cause does. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof AggregateError) return error.cause.errors.map(reasonOf).join('; ');
  return error.cause instanceof Error ? error.cause.message : error.message;
}
