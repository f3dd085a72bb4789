import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { z } from 'zod';

import { errnoOf, RespaldoError } from '../../errors.ts';
import type { EngineAddress } from './address.ts';

/** What the engine answers where it refuses. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
}

export type Answer<T> = { readonly value: T } | { readonly refusal: Refusal };

/** How long an engine may think about a question. Milliseconds. */
const ANSWER_MS = 30_000;

const TLS_HINT = 'If it wants TLS, set DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, or use a context that has certificates.';

const errorBody = z.object({ message: z.string() });

/** The HTTP API of a container engine: Docker's, which Podman speaks too. Each question has its own connection. */
export class Engine {
  readonly #address: EngineAddress;

  constructor(address: EngineAddress) {
    this.#address = address;
  }

  get name(): string {
    return this.#address.name;
  }

  /** @throws RespaldoError `source-missing`, `source-refused`, `source-lost` where nobody answers. */
  async get<T>(path: string, schema: z.ZodType<T>): Promise<Answer<T>> {
    return this.#answer(await this.#ask('GET', path), schema);
  }

  /** @throws as {@link get}. */
  async post<T>(path: string, body: unknown, schema: z.ZodType<T>): Promise<Answer<T>> {
    return this.#answer(await this.#ask('POST', path, body), schema);
  }

  /** Asks for the connection itself: what follows on it is no HTTP any more. @throws as {@link get}. */
  async hijack(path: string, body: unknown): Promise<Answer<Duplex>> {
    const answer = await this.#ask('POST', path, body, { Connection: 'Upgrade', Upgrade: 'tcp' });
    if ('socket' in answer) return { value: answer.socket };
    return { refusal: await refusalOf(answer) };
  }

  async #answer<T>(response: IncomingMessage | { readonly socket: Duplex }, schema: z.ZodType<T>): Promise<Answer<T>> {
    if (!('statusCode' in response)) throw this.#unexpected('it switched protocols');
    const { statusCode = 0 } = response;
    if (statusCode < 200 || statusCode > 299) return { refusal: await refusalOf(response) };
    const parsed = schema.safeParse(parseJson(await text(response)));
    if (!parsed.success) throw this.#unexpected(z.prettifyError(parsed.error));
    return { value: parsed.data };
  }

  async #ask(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<IncomingMessage | { readonly socket: Duplex }> {
    const content = body === undefined ? undefined : JSON.stringify(body);
    const request = this.#request({
      method,
      path,
      agent: false,
      headers: {
        ...(content !== undefined && {
          'Content-Type': 'application/json',
          'Content-Length': Buffer.byteLength(content),
        }),
        ...headers,
      },
    });
    const late = setTimeout(() => request.destroy(new Error('it did not answer in time')), ANSWER_MS);
    try {
      return await answerOf(request, content);
    } catch (error) {
      throw unreachable(this.#address, error);
    } finally {
      clearTimeout(late);
    }
  }

  #request(options: RequestOptions): ClientRequest {
    const address = this.#address;
    if ('socketPath' in address) return httpRequest({ ...options, host: 'localhost', socketPath: address.socketPath });
    const { host, port, tls } = address;
    return tls === undefined
      ? httpRequest({ ...options, host, port })
      : httpsRequest({ ...options, ...tls, host, port });
  }

  #unexpected(what: string): RespaldoError {
    return new RespaldoError(
      'source-refused',
      `the engine at ${this.name} gave an answer that makes no sense: ${what}`,
      {
        hint: 'Is this the address of a Docker or Podman engine?',
      },
    );
  }
}

function answerOf(
  request: ClientRequest,
  content: string | undefined,
): Promise<IncomingMessage | { readonly socket: Duplex }> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    request.once('upgrade', (_response: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (head.length > 0) socket.unshift(head);
      resolve({ socket });
    });
    // Stays for what fails after the answer: an error that nobody hears ends the process.
    request.on('error', reject);
    request.end(content);
  });
}

async function refusalOf(response: IncomingMessage): Promise<Refusal> {
  const said = await text(response).catch(() => '');
  const parsed = errorBody.safeParse(parseJson(said));
  if (said.includes('HTTP request to an HTTPS server')) {
    throw new RespaldoError('source-refused', 'the container engine wants TLS', { hint: TLS_HINT });
  }
  return { status: response.statusCode ?? 0, message: parsed.success ? parsed.data.message : said.trim() };
}

function parseJson(said: string): unknown {
  try {
    return JSON.parse(said) as unknown;
  } catch {
    return undefined;
  }
}

function unreachable({ name }: EngineAddress, error: unknown): RespaldoError {
  switch (errnoOf(error)) {
    case 'ENOENT':
    case 'ECONNREFUSED':
      return new RespaldoError('source-missing', `no container engine listens at ${name}`, {
        hint: 'Start Docker, or say where it listens: DOCKER_HOST, or `context` of the runtime.',
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
      return new RespaldoError('source-refused', `permission denied on the engine’s socket ${name}`, {
        hint: 'Run Respaldo as root or as a member of the socket’s group: sudo usermod -aG docker "$USER", then log in again.',
        cause: error,
      });
    case undefined:
    default: {
      const reason = error instanceof Error ? error.message : String(error);
      return new RespaldoError('source-lost', `the container engine at ${name} cannot be reached: ${reason}`, {
        hint: TLS_HINT,
        cause: error,
      });
    }
  }
}
