import { describe, expect, it } from 'vitest';
import { fateOf, type StoppedContainer } from './stopped.ts';

const at = (seconds: number): string => new Date(Date.parse('2026-03-01T04:00:00Z') + seconds * 1000).toISOString();
const asked: StoppedContainer = { id: '1', name: 'db', startedAt: at(-100), askedAt: at(0), stopSeconds: 10 };
const stopped: StoppedContainer = { ...asked, finishedAt: at(3) };
const state = (running: boolean, finishedAt: string, startedAt = at(-100)) => ({ running, startedAt, finishedAt });
const later = new Date(at(3600));

describe('A container that was stopped for a backup', () => {
  it('is started, however late', () => {
    expect(fateOf(stopped, state(false, at(3)), later, false)).toBe('start');
    expect(fateOf(stopped, state(false, at(3)), later, true)).toBe('start');
  });

  it('is left alone if somebody has started it since, or has started and stopped it', () => {
    expect(fateOf(stopped, state(true, at(3), at(50)), later, false)).toBe('leave');
    expect(fateOf(stopped, state(false, at(60), at(50)), later, false)).toBe('leave');
  });
});

describe('A container whose end was asked for, and nobody saw it', () => {
  it('is started if it ended in the time that it had', () => {
    expect(fateOf(asked, state(false, at(9)), later, false)).toBe('start');
  });

  it('is left alone if it ended much later: that was somebody else', () => {
    expect(fateOf(asked, state(false, at(600)), later, false)).toBe('leave');
  });

  it('is started whenever the machine went down meanwhile', () => {
    expect(fateOf(asked, state(false, at(600)), later, true)).toBe('start');
  });

  it('is seen to its end first while that may be under way', () => {
    expect(fateOf(asked, state(true, at(-200)), new Date(at(5)), false)).toBe('end-and-start');
    expect(fateOf(asked, state(true, at(-200)), later, false)).toBe('leave');
    expect(fateOf(asked, state(true, at(-200)), new Date(at(5)), true)).toBe('leave');
  });

  it('is left alone if it was started anew', () => {
    expect(fateOf(asked, state(true, at(2), at(4)), new Date(at(5)), false)).toBe('leave');
    expect(fateOf(asked, state(false, at(8), at(4)), later, false)).toBe('leave');
  });
});
