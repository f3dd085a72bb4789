import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextSteps, ringOf, type Standing } from './plan-order.ts';

const standings = (text: Record<string, Standing>) => new Map(Object.entries(text));

describe('the next steps', () => {
  const dependencies = new Map([
    ['web', ['db', 'files']],
    ['report', ['web']],
  ]);

  it('begin with what waits for nobody', () => {
    const all = standings({ report: 'idle', web: 'idle', db: 'idle', files: 'idle' });
    expect(nextSteps(dependencies, all)).toEqual({ start: ['db', 'files'], skip: [] });
  });

  it('wait for all of them', () => {
    const half = standings({ report: 'idle', web: 'idle', db: 'done', files: 'running' });
    expect(nextSteps(dependencies, half)).toEqual({ start: [], skip: [] });
  });

  it('leave out what waits for one that failed, or was left out itself', () => {
    const lost = standings({ report: 'idle', web: 'idle', db: 'failed', files: 'running' });
    expect(nextSteps(dependencies, lost)).toEqual({ start: [], skip: [{ name: 'web', because: 'db' }] });
    const further = standings({ report: 'idle', web: 'skipped', db: 'failed', files: 'done' });
    expect(nextSteps(dependencies, further)).toEqual({ start: [], skip: [{ name: 'report', because: 'web' }] });
  });

  it('do not wait for what nobody runs', () => {
    expect(nextSteps(dependencies, standings({ web: 'idle', db: 'done' }))).toEqual({ start: ['web'], skip: [] });
  });
});

const names = ['a', 'b', 'c', 'd', 'e'] as const;
const graph = fc
  .array(fc.subarray([...names]), { minLength: names.length, maxLength: names.length })
  .map((edges) => new Map<string, readonly string[]>(names.map((name, at) => [name, edges[at] ?? []])));

describe('a ring', () => {
  it('is told from its first plan to its last', () => {
    const rings = new Map([
      ['x', ['a']],
      ['a', ['b']],
      ['b', ['c', 'x']],
      ['c', ['a']],
    ]);
    expect(ringOf(rings)).toEqual(['x', 'a', 'b', 'c'].slice(1));
    expect(ringOf(new Map([['self', ['self']]]))).toEqual(['self']);
  });

  it('is there exactly where not every plan can come to its turn', () => {
    fc.assert(
      fc.property(graph, (dependencies) => {
        const at = new Map<string, Standing>(names.map((name) => [name, 'idle']));
        for (;;) {
          const { start } = nextSteps(dependencies, at);
          if (start.length === 0) break;
          for (const name of start) at.set(name, 'done');
        }
        const stuck = [...at.values()].some((standing) => standing !== 'done');
        expect(ringOf(dependencies) !== undefined).toBe(stuck);
      }),
    );
  });

  it('consists of plans that wait for the next one', () => {
    fc.assert(
      fc.property(graph, (dependencies) => {
        const ring = ringOf(dependencies) ?? [];
        for (const [at, name] of ring.entries()) expect(dependencies.get(name)).toContain(ring[(at + 1) % ring.length]);
      }),
    );
  });
});
