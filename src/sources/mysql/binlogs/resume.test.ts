import { describe, expect, it } from 'vitest';
import type { BinlogFacts } from './facts.ts';
import { candidate } from './resume.ts';

const FILES = [3, 4, 5].map((number) => ({ name: `bin.00000${String(number)}`, bytes: 1000 }));

function before(file: number, to: number, closed = false, server = 'me'): BinlogFacts {
  const name = `bin.00000${String(file)}`;
  return {
    server,
    to: { file: name, offset: to },
    tail: { file: name, from: to - 50, to, sha256: '', closed },
  } as BinlogFacts;
}

describe('The next stretch begins', () => {
  const begin = (since: BinlogFacts | undefined): unknown => {
    const { kind, at } = candidate(since, 'me', FILES);
    return { kind, at: `${at.file.slice(-1)}:${String(at.offset)}` };
  };

  it('with the oldest file, where there is nothing yet, or nothing that leads on', () => {
    const anew = { kind: 'begin', at: '3:4' };
    expect(begin(undefined)).toEqual(anew);
    expect(begin(before(4, 500, false, 'another'))).toEqual(anew);
    expect(begin(before(1, 500, true))).toEqual(anew);
    // It was not stored to its end.
    expect(begin(before(2, 500, false))).toEqual(anew);
    // The server has lost what was stored.
    expect(begin(before(5, 1001))).toEqual(anew);
  });

  it('behind the last event, if that is the same, in the same file or the next', () => {
    expect(begin(before(4, 500))).toEqual({ kind: 'same-event', at: '4:500' });
    expect(begin(before(4, 1000, true))).toEqual({ kind: 'same-event', at: '5:4' });
    expect(begin(before(5, 1000))).toEqual({ kind: 'same-event', at: '5:1000' });
  });

  it('with the file that follows one that was stored to its end and is gone', () => {
    expect(begin(before(2, 500, true))).toEqual({ kind: 'next-file', at: '3:4' });
  });
});
