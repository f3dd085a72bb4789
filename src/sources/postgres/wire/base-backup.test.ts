import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { BaseBackup } from './base-backup.ts';

/** The server's side of a small base backup, message by message. */
const START = [rows(['recptr', 'tli'], ['0/5000028', '1']), complete()];
const SPACES = [rows(['spcoid', 'spclocation', 'size'], ['16400', '/attic', '8'], [null, null, '40']), complete()];
const COPY = [
  message('H', Buffer.from([0, 0, 0])),
  copy('n', '16400.tar\0/attic\0'),
  copy('d', 'one'),
  copy('d', ''),
  copy('p', '\0\0\0\0\0\0\0\x03'),
  copy('d', 'two'),
  copy('n', 'base.tar\0\0'),
  copy('d', 'three'),
  copy('m', ''),
  copy('d', '{}'),
  message('c'),
];
const END = [rows(['recptr', 'tli'], ['0/5000100', '1']), complete(), complete(), message('Z', Buffer.from('I'))];
const WHOLE = [...START, ...SPACES, ...COPY, ...END].flat();

describe('a base backup on the wire', () => {
  it.each([1, 2, 7, 1000])('is read from pieces of %i bytes', async (size) => {
    const { backup, parts, end } = await receive(Buffer.concat(WHOLE), size);
    expect(backup.startLsn).toBe('0/5000028');
    expect(backup.tablespaces).toEqual([{ oid: '16400', location: '/attic', bytes: 8192 }, { bytes: 40_960 }]);
    expect(parts).toEqual([
      ['archive', '16400.tar', 'onetwo'],
      ['archive', 'base.tar', 'three'],
      ['manifest', '', '{}'],
    ]);
    expect(end).toMatchObject({ lsn: '0/5000100', timeline: 1, damaged: false });
  });

  it('never ends normally when it is cut short, wherever', async () => {
    const whole = Buffer.concat(WHOLE);
    for (let length = 0; length < whole.length; length++)
      await expect(receive(whole.subarray(0, length), 50)).rejects.toMatchObject({ code: 'source-lost' });
  });

  it('takes an error after the end position as damage only if it speaks of corrupted data', async () => {
    const ending = (code: string) =>
      Buffer.concat([...START, ...SPACES, ...COPY, ...END.slice(0, -1), error(code), ...END.slice(-1)].flat());
    expect((await receive(ending('XX001'), 50)).end.damaged).toBe(true);
    await expect(receive(ending('58P01'), 50)).rejects.toMatchObject({ code: 'source-refused' });
  });

  it('fails at an error in the middle, whatever it is', async () => {
    for (const code of ['XX001', '57P01', '58030']) {
      const bytes = Buffer.concat([...START, ...SPACES, ...COPY.slice(0, 3), error(code), ...END.slice(-1)].flat());
      await expect(receive(bytes, 50)).rejects.toThrow('it went wrong');
    }
  });

  it.each([
    ['data before any archive', [...START, ...SPACES, ...COPY.slice(0, 1), copy('d', 'x')]],
    ['an unknown kind of data', [...START, ...SPACES, ...COPY.slice(0, 1), copy('?', 'x')]],
    ['a message that does not belong', [...START, ...SPACES, message('G')]],
    ['a message too long', [...START, Buffer.from([0x54, 0x7f, 0, 0, 0])]],
    ['a message of negative length', [...START, Buffer.from([0x54, 0, 0, 0, 1])]],
    ['no end position', [...START, ...SPACES, ...COPY, complete()]],
  ])('refuses %s', async (_, messages) => {
    await expect(receive(Buffer.concat(messages.flat()), 50)).rejects.toThrow('broke the replication protocol');
  });
});

async function receive(bytes: Buffer, size: number) {
  const socket = new Duplex({
    write: (_chunk, _encoding, done) => {
      done();
    },
    read: () => undefined,
  });
  for (let at = 0; at < bytes.length; at += size) socket.push(bytes.subarray(at, at + size));
  socket.push(null);
  const backup = await BaseBackup.start(socket, 'BASE_BACKUP', 'the server', new AbortController().signal);
  const parts: string[][] = [];
  for await (const part of backup.parts()) {
    const pieces: Uint8Array[] = [];
    for await (const piece of part.bytes) pieces.push(piece);
    parts.push([part.kind, part.name, Buffer.concat(pieces).toString()]);
  }
  return { backup, parts, end: await backup.finish() };
}

function message(type: string, body: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

function copy(kind: string, data: string): Buffer {
  return message('d', Buffer.from(kind + data, 'latin1'));
}

function complete(): Buffer {
  return message('C', Buffer.from('SELECT\0'));
}

function error(code: string): Buffer {
  return message('E', Buffer.from(`SERROR\0VERROR\0C${code}\0Mit went wrong\0\0`));
}

/** A row description and its rows. */
function rows(names: readonly string[], ...values: readonly (readonly (string | null)[])[]): Buffer[] {
  const count = (n: number): Buffer => Buffer.from([0, n]);
  const columns = names.map((name) => Buffer.concat([Buffer.from(`${name}\0`), Buffer.alloc(18)]));
  const cells = (value: string | null): Buffer[] => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(value === null ? -1 : value.length);
    return value === null ? [length] : [length, Buffer.from(value)];
  };
  return [
    message('T', Buffer.concat([count(names.length), ...columns])),
    ...values.map((row) => message('D', Buffer.concat([count(row.length), ...row.flatMap(cells)]))),
  ];
}
