import { describe, expect, it } from 'vitest';

import { ours } from '../../test/contract/store.ts';
import { isTarget, runtimeScope, runtimeTarget } from './runtime-options.ts';

describe('runtimeTarget', () => {
  it.each([
    [{}, undefined],
    [{ runtime: 'host' }, { kind: 'host' }],
    [{ container: 'db' }, { kind: 'docker', container: 'db', labels: [] }],
    [
      { runtime: 'docker', labels: ['a=b,c', 'd'] },
      { kind: 'docker', labels: ['a=b', 'c', 'd'] },
    ],
    [
      { pod: 'db-0', namespace: 'shop', k8sContainer: 'main', context: 'prod' },
      { kind: 'kubernetes', pod: 'db-0', namespace: 'shop', container: 'main', context: 'prod', labels: [] },
    ],
    [
      { namespace: 'shop', labels: ['app=db'] },
      { kind: 'kubernetes', namespace: 'shop', labels: ['app=db'] },
    ],
  ] as const)('understands %j', (options, target) => {
    expect(runtimeTarget({ labels: [], ...options })).toEqual(target);
  });

  it.each([
    { labels: ['app=db'] },
    { context: 'prod' },
    { container: 'db', pod: 'db-0' },
    { container: 'db', labels: ['app=db'] },
    { runtime: 'docker' },
    { runtime: 'kubernetes', namespace: 'shop' },
    { runtime: 'kubernetes', container: 'db' },
    { runtime: 'host', container: 'db' },
  ] as const)('does not guess what is meant by %j', (options) => {
    expect(() => runtimeTarget({ labels: [], ...options })).toThrow(ours('usage'));
  });
});

describe('runtimeScope', () => {
  it.each([
    [{}, { labels: [] }, false],
    [{ runtime: 'docker' }, { kind: 'docker', labels: [] }, false],
    [{ namespace: 'shop' }, { kind: 'kubernetes', namespace: 'shop', labels: [] }, false],
    [{ container: 'db' }, { kind: 'docker', container: 'db', labels: [] }, true],
    [{ runtime: 'docker', labels: ['a=b,c'] }, { kind: 'docker', labels: ['a=b', 'c'] }, true],
  ] as const)('takes %j for a place to look, or for what is meant there', (options, scope, target) => {
    expect(runtimeScope({ labels: [], ...options })).toEqual(scope);
    expect(isTarget(runtimeScope({ labels: [], ...options }))).toBe(target);
  });
});
