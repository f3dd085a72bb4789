/** Requests to one server, over connections that stay open. Nothing is tried again, and no redirection is followed. */
import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import http from 'node:http';
import https from 'node:https';
import { finished } from 'node:stream/promises';

import { abortError, throwIfAborted } from '../../errors.ts';
import { DavRefusal } from './errors.ts';

export interface DavLogin {
  readonly user: string;
  readonly password: string;
}

export interface DavServer {
  readonly secure: boolean;
  readonly host: string;
  readonly login?: DavLogin;
  /** Certificates to trust, in PEM form. */
  readonly authorities: readonly string[];
}

export interface DavRequest {
  readonly method: string;
  /** As a URL has it. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Pieces are sent as fast as the server takes them, over a connection of their own. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
}

/** Connections at most. */
const SOCKETS = 32;
/** A server that neither takes nor sends anything for so long is gone. Milliseconds. */
const SILENCE = 60_000;
/** It may work for longer before it answers: on a large file that has come, or is moved. */
const LONG_WORK = 600_000;

export class DavClient {
  readonly #server: DavServer;
  readonly #agent: Agent;

  constructor(server: DavServer) {
    const options = { keepAlive: true, maxSockets: SOCKETS };
    this.#server = server;
    this.#agent = server.secure
      ? new https.Agent({ ...options, ca: [...server.authorities] })
      : new http.Agent(options);
  }

  /**
   * Sends a request. The answer's body is the caller's to read, by {@link discard} at least.
   * @throws DavRefusal where the status is none of `wanted`, and what breaks the line.
   */
  async ask(request: DavRequest, wanted: readonly number[], signal: AbortSignal): Promise<IncomingMessage> {
    const answer = await this.#send(request, signal);
    const { statusCode: status = 0, headers } = answer;
    if (wanted.includes(status)) return answer;
    const text = await firstWords(answer);
    throw new DavRefusal({ method: request.method, status, text, headers });
  }

  close(): void {
    this.#agent.destroy();
  }

  async #send({ method, path, headers, body }: DavRequest, signal: AbortSignal): Promise<IncomingMessage> {
    throwIfAborted(signal);
    const { secure, host, login, authorities } = this.#server;
    const isStream = body !== undefined && !(body instanceof Uint8Array);
    const options = {
      method,
      // A connection that the server closes just now is found out too late for content that is pulled once.
      agent: isStream ? false : this.#agent,
      ...(secure && { ca: [...authorities] }),
      ...(login && { auth: `${login.user}:${login.password}` }),
      headers: { ...headers, ...(body instanceof Uint8Array && { 'content-length': String(body.length) }) },
    };
    const request = (secure ? https : http).request(`${secure ? 'https' : 'http'}://${host}${path}`, options);
    const exchange = new Exchange(request, isStream || method === 'MOVE' ? LONG_WORK : SILENCE, signal);
    return exchange.run(body);
  }
}

/** Reads what is left of an answer that says nothing more, so that its connection can be used again. */
export async function discard(answer: IncomingMessage): Promise<void> {
  await finished(answer.resume());
}

/** One request on its way. */
class Exchange {
  readonly #request: ClientRequest;
  readonly #signal: AbortSignal;
  readonly #answer: Promise<IncomingMessage>;
  #isAnswered = false;
  /** Whether it is for the server to do something. */
  #waitsForServer = true;

  constructor(request: ClientRequest, silence: number, signal: AbortSignal) {
    this.#request = request;
    this.#signal = signal;
    const quit = () => request.destroy(abortError(signal));
    signal.addEventListener('abort', quit, { once: true });
    request.on('close', () => {
      signal.removeEventListener('abort', quit);
    });
    request.setTimeout(silence, () => {
      if (this.#waitsForServer) request.destroy(new Error('the server was silent for too long'));
    });
    this.#answer = new Promise((resolve, reject) => {
      request.on('response', (answer) => {
        this.#isAnswered = true;
        resolve(answer);
      });
      request.on('error', reject);
      request.on('close', () => {
        reject(new Error('the connection was closed before an answer came'));
      });
    });
    // Told to whoever waits for it, perhaps later.
    this.#answer.catch(() => undefined);
  }

  async run(body: DavRequest['body']): Promise<IncomingMessage> {
    try {
      if (body === undefined || body instanceof Uint8Array) this.#request.end(body);
      else await this.#pump(body);
      return await this.#answer;
    } catch (error) {
      this.#request.destroy();
      throwIfAborted(this.#signal);
      throw error;
    }
  }

  /** Stops where the server has answered already: it wants no more. */
  async #pump(content: AsyncIterable<Uint8Array>): Promise<void> {
    this.#waitsForServer = false;
    for await (const piece of content) {
      if (this.#isAnswered || this.#request.destroyed) break;
      if (piece.length === 0 || this.#request.write(piece)) continue;
      this.#waitsForServer = true;
      await this.#drained();
      this.#waitsForServer = false;
    }
    this.#waitsForServer = true;
    if (!this.#isAnswered) this.#request.end();
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const events = ['drain', 'response', 'close'];
      const go = () => {
        for (const event of events) this.#request.off(event, go);
        resolve();
      };
      for (const event of events) this.#request.on(event, go);
      if (this.#isAnswered || this.#request.destroyed) go();
    });
  }
}

/** What a server says about its refusal, in plain words where it has some. */
async function firstWords(answer: IncomingMessage): Promise<string> {
  const most = 16 * 1024;
  let text = '';
  try {
    for await (const piece of answer as AsyncIterable<Buffer>) {
      text += piece.toString('utf8');
      if (text.length > most) break;
    }
  } catch {
    // The status is told without it.
  } finally {
    answer.destroy();
  }
  const [, message] = /<(?:s:|d:)?message[^>]*>([^<]+)</i.exec(text) ?? /<p>([^<]+)/i.exec(text) ?? [];
  return (message ?? '').replace(/\s+/g, ' ').trim().slice(0, 200);
}
