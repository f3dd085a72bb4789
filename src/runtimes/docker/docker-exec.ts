import type { Duplex } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';

import { errnoOf, RespaldoError } from '../../errors.ts';
import type { Exec, OutputPiece } from '../container/exec.ts';
import type { InputPipe } from '../input.ts';
import type { Exit } from '../program.ts';
import type { Engine } from './engine.ts';
import { demultiplexed } from './frames.ts';

const state = z.object({ Running: z.boolean(), ExitCode: z.number().nullish() });

/** How often to ask whether a program that has closed its outputs is over: at first, at most. Milliseconds. */
const POLL = { first: 10, most: 500 };

/** A program in a container, through a connection that was HTTP before. */
export class DockerExec implements Exec {
  readonly closesStdin: boolean;
  readonly output: AsyncIterable<OutputPiece>;
  readonly stdin: InputPipe | undefined;
  readonly #engine: Engine;
  readonly #id: string;
  readonly #place: string;
  readonly #socket: Duplex;
  #closed = false;

  /** @param place for messages. */
  constructor(engine: Engine, id: string, place: string, socket: Duplex, hasStdin: boolean) {
    this.#engine = engine;
    this.#id = id;
    this.#place = place;
    this.#socket = socket;
    // Podman can, but drops what a program has said that ends before it has read everything.
    this.closesStdin = !engine.isPodman;
    // What fails shows where it is read or written.
    socket.on('error', () => undefined);
    this.output = demultiplexed(bytesOf(socket, place));
    this.stdin = hasStdin ? pipeInto(socket) : undefined;
  }

  /** That the stream has ended says nothing: a container that is killed ends it just so. */
  async exit(): Promise<Exit> {
    for (let pause = POLL.first; !this.#closed; pause = Math.min(pause * 2, POLL.most)) {
      const exit = await this.#inspect();
      if (exit !== undefined) return exit;
      await wait(pause);
    }
    return { error: new RespaldoError('source-lost', `the connection to ${this.#place} was given up`) };
  }

  async look(): Promise<Exit | undefined> {
    try {
      const exit = await this.#inspect();
      if (exit !== undefined && 'error' in exit) throw exit.error;
      return exit;
    } catch (error) {
      // An engine that is busy now may answer the next time; the program's output tells more anyway.
      if (error instanceof RespaldoError && error.retry) return undefined;
      throw error;
    }
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  /** @returns undefined while it runs. */
  async #inspect(): Promise<Exit | undefined> {
    const answer = await this.#engine.get(`/exec/${this.#id}/json`, state);
    if ('refusal' in answer) return unknownEnd(this.#place, answer.refusal.message);
    const { Running, ExitCode } = answer.value;
    if (Running) return undefined;
    return typeof ExitCode === 'number' ? { code: ExitCode } : unknownEnd(this.#place, 'the engine tells no exit code');
  }
}

function unknownEnd(place: string, reason: string): Exit {
  return {
    error: new RespaldoError('command-failed', `how the program in ${place} ended is not known: ${reason}`, {
      hint: 'Was the container removed, or the engine restarted?',
    }),
  };
}

/** @throws RespaldoError `source-lost` */
async function* bytesOf(socket: Duplex, place: string): AsyncGenerator<Uint8Array> {
  try {
    yield* socket as AsyncIterable<Uint8Array>;
  } catch (error) {
    const reason = errnoOf(error) ?? (error instanceof Error ? error.message : String(error));
    throw new RespaldoError('source-lost', `the connection to ${place} broke: ${reason}`, { cause: error });
  }
}

function pipeInto(socket: Duplex): InputPipe {
  return {
    write: (piece) =>
      new Promise((resolve) => {
        socket.write(piece, (error) => resolve(error === null || error === undefined));
      }),
    end: () => void socket.end(),
  };
}
