import { describe, expect, it } from 'vitest';
import { targetPath } from './runtime-target.ts';

describe('the path of a place', () => {
  it('is made of what is said of it, in the order from large to small', () => {
    expect(targetPath({ kind: 'host' })).toBeUndefined();
    expect(targetPath({ kind: 'docker', container: 'shop-db', labels: [] })).toBe('docker/shop-db');
    expect(targetPath({ kind: 'docker', context: 'far', labels: ['b=2', 'a=1'] })).toBe('docker/far/a=1,b=2');
    const pod = { kind: 'kubernetes', pod: 'db-0', labels: [], namespace: 'shop', container: 'postgres' } as const;
    expect(targetPath(pod)).toBe('kubernetes/shop/db-0/postgres');
  });

  it('cannot be confused by slashes, which labels may have', () => {
    expect(targetPath({ kind: 'kubernetes', labels: ['app.kubernetes.io/name=postgresql'] })).toBe(
      'kubernetes/app.kubernetes.io%2fname=postgresql',
    );
  });
});
