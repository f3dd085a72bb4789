import type { IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import type { WebSocket } from 'ws';
import { z } from 'zod';

import { RespaldoError } from '../../errors.ts';
import type { Cluster } from './cluster.ts';
import type { Proof } from './credentials.ts';

/** How long the cluster may think about a question. Milliseconds. */
const ANSWER_MS = 30_000;

const statusBody = z.object({ message: z.string().optional(), reason: z.string().optional() });

/** The answer of a cluster that does not do what it is asked. */
interface Refusal {
  readonly status: number;
  readonly message: string;
}

type Tried<T> = { readonly value: T } | { readonly refusal: Refusal };

/** The API of a cluster. Each question has its own connection. */
export class KubernetesApi {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  get server(): string {
    return this.#cluster.server.origin;
  }

  get namespace(): string {
    return this.#cluster.namespace;
  }

  /**
   * @param path with its query, such as `/api/v1/pods`.
   * @param verb what is asked, in words of RBAC, for messages: `list pods`.
   * @returns undefined where there is no such thing.
   * @throws RespaldoError `source-refused`, `source-missing`, `source-lost`, and those of logging in.
   */
  async get<T>(path: string, schema: z.ZodType<T>, verb: string): Promise<T | undefined> {
    const answer = await this.#proven((proof) => this.#get(path, proof));
    if ('refusal' in answer) {
      if (answer.refusal.status === 404) return undefined;
      throw this.#refused(answer.refusal, verb);
    }
    const parsed = schema.safeParse(answer.value);
    if (parsed.success) return parsed.data;
    throw new RespaldoError('source-refused', `${this.server} gave an answer that makes no sense (${verb})`, {
      hint: 'Is this the address of a Kubernetes API?',
      cause: parsed.error,
    });
  }

  /** Opens a web socket that speaks one of the protocols. @throws as {@link get}. */
  async connect(path: string, protocols: readonly string[], verb: string): Promise<WebSocket> {
    const answer = await this.#proven((proof) => this.#connect(path, protocols, proof));
    if ('value' in answer) return answer.value;
    throw this.#refused(answer.refusal, verb);
  }

  /** Tries again, once, with a new proof where the first one was good no more. */
  async #proven<T>(ask: (proof: Proof) => Promise<Tried<T>>): Promise<Tried<T>> {
    const { credentials } = this.#cluster;
    const answer = await ask(await credentials.proof());
    if (!('refusal' in answer) || answer.refusal.status !== 401 || !credentials.refused()) return answer;
    return ask(await credentials.proof());
  }

  async #get(path: string, proof: Proof): Promise<Tried<unknown>> {
    const { server } = this.#cluster;
    const options = { ...this.#connection(proof), agent: false, headers: headersOf(proof) };
    const request = (server.protocol === 'https:' ? httpsRequest : httpRequest)(this.#url(path), options);
    const late = setTimeout(() => request.destroy(new Error('it did not answer in time')), ANSWER_MS);
    try {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        request.once('response', resolve);
        request.on('error', reject);
        request.end();
      });
      const said = await text(response);
      const status = response.statusCode ?? 0;
      if (status < 200 || status > 299) return { refusal: { status, message: messageIn(said) } };
      return { value: parseJson(said) };
    } catch (error) {
      throw this.#unreachable(error);
    } finally {
      clearTimeout(late);
    }
  }

  async #connect(path: string, protocols: readonly string[], proof: Proof): Promise<Tried<WebSocket>> {
    const { WebSocket: Socket } = await import('ws');
    const url = this.#url(path);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new Socket(url, [...protocols], {
      ...this.#connection(proof),
      headers: headersOf(proof),
      perMessageDeflate: false,
      handshakeTimeout: ANSWER_MS,
    });
    return new Promise((resolve, reject) => {
      // Before anything can come, so that nothing is lost; who takes the socket lets it go on.
      socket.once('open', () => {
        socket.pause();
        resolve({ value: socket });
      });
      socket.on('error', (error) => reject(this.#unreachable(error)));
      socket.once('unexpected-response', (request, response: IncomingMessage) => {
        const status = response.statusCode ?? 0;
        text(response)
          .then(
            (said) => resolve({ refusal: { status, message: messageIn(said) } }),
            (error: unknown) => reject(this.#unreachable(error)),
          )
          .finally(() => request.destroy());
      });
    });
  }

  /** Below the path of the cluster's address, where it has one. */
  #url(path: string): URL {
    const url = new URL(this.#cluster.server);
    const [before = '', query = ''] = path.split('?', 2);
    url.pathname = url.pathname.replace(/\/$/, '') + before;
    url.search = query;
    return url;
  }

  #connection({ cert, key }: Proof) {
    const { ca, insecure, serverName } = this.#cluster;
    return {
      rejectUnauthorized: !insecure,
      ...(ca !== undefined && { ca }),
      ...(serverName !== undefined && { servername: serverName }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
    };
  }

  #refused({ status, message }: Refusal, verb: string): RespaldoError {
    const said = message === '' ? '' : `: ${message}`;
    switch (status) {
      case 401:
        return new RespaldoError('source-refused', `${this.server} does not know who we are (401)${said}`, {
          hint: 'The token or certificate may have expired: log in again, `kubectl get pods` must work.',
        });
      case 403:
        return new RespaldoError('source-refused', `${this.server} does not let us ${verb} (403)${said}`, {
          hint: 'The role needs get and list on pods, and create and get on pods/exec, in that namespace.',
        });
      case 404:
        return new RespaldoError('source-missing', `${this.server} has nothing to ${verb} of (404)${said}`);
      default:
        return new RespaldoError(
          status >= 500 || status === 429 ? 'source-lost' : 'source-refused',
          `${this.server} could not ${verb} (${status})${said}`,
        );
    }
  }

  #unreachable(error: unknown): RespaldoError {
    if (error instanceof RespaldoError) return error;
    const reason = error instanceof Error ? error.message : String(error);
    return new RespaldoError('source-lost', `the cluster at ${this.server} cannot be reached: ${reason}`, {
      hint: 'Does `kubectl get pods` work here? The kubeconfig names the address and the certificates.',
      cause: error,
    });
  }
}

function headersOf({ authorization }: Proof): Record<string, string> {
  return { Accept: 'application/json', ...(authorization !== undefined && { Authorization: authorization }) };
}

function messageIn(said: string): string {
  const parsed = statusBody.safeParse(parseJson(said));
  return (parsed.success ? parsed.data.message : undefined) ?? said.trim().slice(0, 500);
}

function parseJson(said: string): unknown {
  try {
    return JSON.parse(said) as unknown;
  } catch {
    return undefined;
  }
}
