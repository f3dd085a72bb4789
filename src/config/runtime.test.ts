import { describe, expect, it } from 'vitest';

import { runtimeSchema, toRuntimeTarget } from './runtime.ts';

describe('a runtime', () => {
  it.each([
    ['host', { kind: 'host' }],
    [{ docker: { container: 'db' } }, { kind: 'docker', container: 'db', labels: [] }],
    [{ docker: { labels: ['a=b', 'c'], context: 'x' } }, { kind: 'docker', labels: ['a=b', 'c'], context: 'x' }],
    [{ kubernetes: { pod: 'db-0' } }, { kind: 'kubernetes', pod: 'db-0', labels: [] }],
    [
      { kubernetes: { labels: ['app=db'], namespace: 'n', container: 'c' } },
      { kind: 'kubernetes', labels: ['app=db'], namespace: 'n', container: 'c' },
    ],
  ])('is understood: %j', (setting, target) => {
    expect(toRuntimeTarget(runtimeSchema.parse(setting))).toStrictEqual(target);
  });

  it.each([
    'docker',
    {},
    { docker: {} },
    { docker: { container: 'db', labels: ['a=b'] } },
    { docker: { labels: [] } },
    { docker: { labels: ['a, b'] } },
    { docker: { container: 'db' }, kubernetes: { pod: 'db' } },
    { kubernetes: { namespace: 'n' } },
    { kubernetes: { pod: '' } },
  ])('is refused where it is not clear which one is meant: %j', (setting) => {
    expect(runtimeSchema.safeParse(setting).success).toBe(false);
  });
});
