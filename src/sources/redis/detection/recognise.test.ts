import { describe, expect, it } from 'vitest';
import type { Workload, WorkloadContainer } from '../../../domain/workload.ts';
import { recognise } from './recognise.ts';

const container = (about: Partial<WorkloadContainer>): WorkloadContainer => ({
  ...{ name: 'c', image: 'busybox', variables: {}, ports: [], hostPorts: [] },
  ...about,
});

function workload(first: Partial<WorkloadContainer>, more: Partial<Workload> = {}): Workload {
  return {
    target: { kind: 'docker', container: 'shop-cache', labels: [] },
    place: 'the container shop-cache',
    name: 'shop-cache',
    labels: {},
    containers: [container(first)],
    ...more,
  };
}

describe('a container', () => {
  it.each([
    ['redis:7.2', {}, 'user default', '7.2'],
    ['docker.io/library/redis:7-alpine', { REDIS_VERSION: '7.4.1' }, 'user default', '7.4.1'],
    ['bitnami/redis:7.2', { REDIS_PASSWORD: '' }, 'its own REDIS_PASSWORD', '7.2'],
    ['valkey/valkey:8.0', { VALKEY_PASSWORD_FILE: '/run/secrets/p' }, 'its own VALKEY_PASSWORD_FILE', '8.0'],
    ['redis/redis-stack-server', {}, 'user default', undefined],
    ['bitnami/redis-cluster:7.2', {}, 'user default', '7.2'],
  ])('of the image %s is a server', (image, variables, login, version) => {
    const found = recognise(workload({ image, variables }));
    expect(found).toMatchObject({ kind: 'redis', address: 'redis://localhost:6379', login });
    expect(found?.version).toBe(version);
  });

  it.each([
    ['oliver006/redis_exporter:v1', {}],
    ['rediscommander/redis-commander', {}],
    ['redis/redisinsight', {}],
    ['bitnami/redis-sentinel:7.2', {}],
    ['quay.io/spotahome/redis-operator', {}],
    ['shop/api:3', { REDIS_URL: '', REDIS_VERSION: '7' }],
    ['shop/prediso:1', {}],
  ])('of the image %s is none', (image, variables) => {
    expect(recognise(workload({ image, variables, ports: [] }))).toBeUndefined();
  });

  it('needs a second reason beside its port', () => {
    expect(recognise(workload({ ports: [6379] }))).toBeUndefined();
    const labels = { 'com.docker.compose.service': 'redis' };
    expect(recognise(workload({ ports: [6379] }, { labels }))?.reasons).toEqual(['port 6379', 'compose service redis']);
  });

  it('is what its own label says', () => {
    expect(recognise(workload({}, { labels: { 'respaldo.source': 'valkey' } }))).toBeDefined();
    expect(recognise(workload({ image: 'redis' }, { labels: { 'respaldo.source': 'postgres' } }))).toBeUndefined();
    expect(recognise(workload({ image: 'redis' }, { labels: { 'respaldo.enable': 'false' } }))).toBeUndefined();
  });
});

it('of a pod, the container beside the exporter is the server, and its label tells the role', () => {
  const target = { kind: 'kubernetes', namespace: 'shop', pod: 'cache-redis-replicas-0', labels: [] } as const;
  const containers: Workload['containers'] = [
    container({ image: 'oliver006/redis_exporter', name: 'metrics' }),
    container({ image: 'bitnami/redis:7.2', name: 'redis' }),
  ];
  const labels = { 'app.kubernetes.io/name': 'redis', 'app.kubernetes.io/component': 'replica' };
  expect(recognise(workload({}, { target, name: 'cache-redis-replicas-0', labels, containers }))).toMatchObject({
    target: { container: 'redis' },
    role: 'replica',
  });
});
