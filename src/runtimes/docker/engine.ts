import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable, type Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { z } from 'zod';

import { abortError, errnoOf, RespaldoError } from '../../errors.ts';
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
  #isPodman = false;

  constructor(address: EngineAddress) {
    this.#address = address;
  }

  get name(): string {
    return this.#address.name;
  }

  /** Whether it is Podman; known since its first answer. */
  get isPodman(): boolean {
    return this.#isPodman;
  }

  /** @throws RespaldoError `source-missing`, `source-refused`, `source-lost` where nobody answers. */
  async get<T>(path: string, schema: z.ZodType<T>): Promise<Answer<T>> {
    return this.#answer(await this.#ask('GET', path), schema);
  }

  /** @param patience how long the engine may take for it, in milliseconds. @throws as {@link get}. */
  async post<T>(path: string, body: unknown, schema: z.ZodType<T>, patience = ANSWER_MS): Promise<Answer<T>> {
    return this.#answer(await this.#ask('POST', path, body, { patience }), schema);
  }

  /** @throws as {@link get}. */
  async delete(path: string): Promise<Answer<unknown>> {
    return this.#answer(await this.#ask('DELETE', path), z.unknown());
  }

  /** What the engine sends, as it comes: whoever reads it sees to it that it is closed. @throws as {@link get}. */
  async download(path: string): Promise<Answer<Readable>> {
    const answer = await this.#ask('GET', path);
    if (!('statusCode' in answer)) throw this.#unexpected('it switched protocols');
    return answer.statusCode === 200 ? { value: answer } : { refusal: await refusalOf(answer) };
  }

  /**
   * Sends an archive, as fast as the engine takes it.
   * @throws as {@link get}, and what reading the archive throws.
   */
  async upload(path: string, archive: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<Answer<unknown>> {
    const headers = { 'Content-Type': 'application/x-tar', 'Transfer-Encoding': 'chunked' };
    const request = this.#request({ method: 'PUT', path, agent: false, headers });
    const answered = answerOf(request);
    let failed: unknown;
    const sent = pipeline(Readable.from(archive, { objectMode: false }), request, { signal }).catch(
      (error: unknown) => {
        failed = error;
        request.destroy();
      },
    );
    try {
      // An engine that refuses does not wait for the end of what it refuses.
      const answer = await answered;
      const result = await this.#answer(answer, z.unknown());
      if ('refusal' in result) request.destroy();
      await sent;
      return result;
    } catch (error) {
      await sent;
      throw failed instanceof RespaldoError
        ? failed
        : signal.aborted
          ? abortError(signal)
          : unreachable(this.#address, failed ?? error);
    }
  }

  /** Asks for the connection itself: what follows on it is no HTTP any more. @throws as {@link get}. */
  async hijack(path: string, body: unknown): Promise<Answer<Duplex>> {
    const headers = { Connection: 'Upgrade', Upgrade: 'tcp' };
    const answer = await this.#ask('POST', path, body, { headers });
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
    { headers = {}, patience = ANSWER_MS }: { headers?: Record<string, string>; patience?: number } = {},
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
    const late = setTimeout(() => request.destroy(new Error('it did not answer in time')), patience);
    try {
      const answer = await answerOf(request, () => request.end(content));
      if ('headers' in answer) this.#isPodman = answer.headers['libpod-api-version'] !== undefined;
      return answer;
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

/** @param send what is done once the answer is waited for. */
function answerOf(
  request: ClientRequest,
  send: () => void = () => undefined,
): Promise<IncomingMessage | { readonly socket: Duplex }> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    request.once('upgrade', (_response: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (head.length > 0) socket.unshift(head);
      resolve({ socket });
    });
    // Stays for what fails after the answer: an error that nobody hears ends the process.
    request.on('error', reject);
    send();
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
