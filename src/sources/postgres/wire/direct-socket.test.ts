import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DirectSocket } from './direct-socket.ts';

const PIECE = 8 * 1024;

describe('a socket that is read directly', () => {
  let folder: string;
  let server: Server;
  let socket: DirectSocket;
  let far: Socket;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'respaldo-socket-'));
    server = createServer();
    server.listen(join(folder, 'socket'));
    await once(server, 'listening');
    socket = new DirectSocket(Buffer.alloc(256 * 1024));
    const met = once(server, 'connection') as Promise<[Socket]>;
    socket.connect(join(folder, 'socket'));
    [far] = await met;
  });

  afterEach(async () => {
    socket.destroy();
    far.destroy();
    server.close();
    await rm(folder, { recursive: true });
  });

  for (const isPatient of [true, false])
    it(`gives all that is sent in small pieces, in order${isPatient ? ', and waits for more of them' : ''}`, async () => {
      const came: Buffer[] = [];
      let length = 0;
      const all = new Promise<void>((resolve) => {
        socket.takeDirectly((bytes) => {
          came.push(Buffer.from(bytes));
          length += bytes.length;
          if (length === 200 * PIECE) resolve();
          return true;
        }, isPatient);
      });
      socket.resume();
      const sent = Buffer.concat(Array.from({ length: 200 }, (_, i) => Buffer.alloc(PIECE, i)));
      for (let at = 0; at < sent.length; at += PIECE) far.write(sent.subarray(at, at + PIECE));
      await all;
      expect(Buffer.concat(came).equals(sent)).toBe(true);
    });

  it('stops where it is told to, and goes on when somebody wants more', async () => {
    let taken = 0;
    let isWanted = false;
    const stopped = Promise.withResolvers<undefined>();
    const ended = once(socket, 'end');
    socket.takeDirectly((bytes) => {
      taken += bytes.length;
      stopped.resolve(undefined);
      return isWanted;
    }, true);
    socket.resume();
    far.end(Buffer.alloc(2 * 1024 * 1024));
    await stopped.promise;
    // Were anything read that nobody wants, it would have come before these.
    for (let i = 0; i < 3; i++) {
      socket.write('?');
      await once(far, 'data');
    }
    expect(taken).toBeLessThanOrEqual(256 * 1024);
    isWanted = true;
    socket.resume();
    await ended;
    expect(taken).toBe(2 * 1024 * 1024);
  });
});
