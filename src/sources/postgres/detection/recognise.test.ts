import { describe, expect, it } from 'vitest';
import type { Workload, WorkloadContainer } from '../../../domain/workload.ts';
import { recognise } from './recognise.ts';

type Parts = Partial<Omit<Workload, 'containers'>> & {
  readonly containers?: readonly Partial<WorkloadContainer>[];
};

const whole = (part: Partial<WorkloadContainer>): WorkloadContainer => ({
  name: 'main',
  image: 'example/thing',
  variables: {},
  ports: [],
  hostPorts: [],
  ...part,
});

function container(part: Partial<WorkloadContainer>, around: Parts = {}): Workload {
  const name = around.name ?? 'one';
  return {
    target: { kind: 'docker', container: name, labels: [] },
    place: `the container ${name}`,
    name,
    labels: {},
    ...around,
    containers: [whole(part)],
  };
}

function pod({ containers = [{}], ...around }: Parts): Workload {
  const [first = {}, ...others] = containers;
  const name = around.name ?? 'thing-0';
  return {
    target: { kind: 'kubernetes', namespace: 'shop', pod: name, labels: [] },
    place: `the pod shop/${name}`,
    name,
    labels: {},
    ...around,
    containers: [whole(first), ...others.map(whole)],
  };
}

describe('PostgreSQL is recognised', () => {
  it.each([
    'postgres',
    'postgres:16-alpine',
    'docker.io/library/postgres:16@sha256:0123',
    'localhost:5000/postgres',
    'bitnami/postgresql:16',
    'postgis/postgis:16-3.4',
    'timescale/timescaledb-ha:pg16',
    'ghcr.io/cloudnative-pg/postgresql:16.2',
    'registry.opensource.zalan.do/acid/spilo-16:3.2-p2',
    'pgvector/pgvector:pg16',
    'acme/my-postgres',
  ])('by the image %s', (image) => {
    expect(recognise(container({ image }))?.reasons).toContain(`image ${image}`);
  });

  it('by what an image of somebody’s own tells: its variables and its port', () => {
    const found = recognise(container({ variables: { POSTGRES_USER: 'shop' }, ports: [5432] }));
    expect(found?.reasons).toEqual(['variable POSTGRES_USER', 'port 5432']);
    expect(recognise(container({ variables: { PGDATA: '/data' } }))).toBeDefined();
  });

  it('by the name of a service of compose, where something else fits too', () => {
    const labels = { 'com.docker.compose.service': 'db' };
    expect(recognise(container({ ports: [5432] }, { labels }))?.reasons).toContain('compose service db');
    expect(recognise(container({}, { labels }))).toBeUndefined();
  });

  it.each([
    ['app', 'postgres'],
    ['app.kubernetes.io/name', 'postgresql'],
    ['application', 'spilo'],
    ['cnpg.io/instanceName', 'shop-1'],
  ])('by the label %s=%s of a pod', (label, value) => {
    expect(recognise(pod({ labels: { [label]: value } }))?.reasons).toEqual([`label ${label}=${value}`]);
  });

  it.each(['postgres-0', 'shop-postgresql-12'])('by the name %s of a pod', (name) => {
    expect(recognise(pod({ name }))?.reasons).toEqual([`name ${name}`]);
  });

  it('in the container of a pod that is the server, not in what stands beside it', () => {
    const containers = [
      { name: 'istio-proxy', image: 'istio/proxyv2' },
      { name: 'metrics', image: 'prometheuscommunity/postgres-exporter', ports: [5432] },
      { name: 'database', image: 'postgres:17', variables: { PG_VERSION: '17.2-1.pgdg120+1' } },
    ];
    const found = recognise(pod({ name: 'db-0', labels: { app: 'postgres' }, containers }));
    expect(found?.target).toMatchObject({ pod: 'db-0', container: 'database' });
    expect(found?.version).toBe('17.2');
  });

  it('where labels say it, with the name and the databases that they say', () => {
    const labels = { 'respaldo.source': 'postgres', 'respaldo.plan': 'till', 'respaldo.databases': 'shop, a/b' };
    expect(recognise(container({}, { labels }))).toMatchObject({
      name: 'till',
      address: 'postgresql:///shop,a%2Fb?method=logical',
      reasons: ['label respaldo.source=postgres'],
    });
  });

  it('with its role, which decides whom a backup means', () => {
    const role = (labels: Record<string, string>) => recognise(pod({ name: 'postgres-1', labels }))?.role;
    expect(role({ role: 'replica' })).toBe('replica');
    expect(role({ 'spilo-role': 'master' })).toBe('primary');
    expect(role({})).toBeUndefined();
  });

  it('with where its login comes from, but never with a secret', () => {
    const variables = { POSTGRES_USER: 'shop', POSTGRES_PASSWORD_FILE: '/run/secrets/shop' };
    expect(recognise(container({ image: 'postgres', variables }))?.login).toBe(
      'its own POSTGRES_USER, POSTGRES_PASSWORD_FILE',
    );
  });
});

describe('PostgreSQL is not seen', () => {
  it.each(['mysql:8', 'redis', 'acme/shop'])('in the image %s', (image) => {
    expect(recognise(container({ image }))).toBeUndefined();
  });

  it.each([
    'postgrest/postgrest',
    'prometheuscommunity/postgres-exporter:v0.15',
    'edoburu/pgbouncer',
    'dpage/pgadmin4',
    'prodrigestivill/postgres-backup-local',
    'acid/postgres-operator',
  ])('in the image %s, whatever it is called', (image) => {
    expect(recognise(container({ image }, { name: 'postgres', labels: { app: 'postgres' } }))).toBeUndefined();
  });

  it('in a program that only uses one', () => {
    const variables = { POSTGRES_HOST: 'db', POSTGRES_USER: 'shop', POSTGRES_PASSWORD: '' };
    expect(recognise(container({ variables, ports: [8080] }))).toBeUndefined();
    expect(
      recognise(container({ variables: { DATABASE_URL: '', POSTGRES_DB: 'shop' }, ports: [5432] })),
    ).toBeUndefined();
  });

  it('where a label forbids it, or says something else', () => {
    for (const [label, value] of [
      ['respaldo.enable', 'false'],
      ['respaldo.source', 'mysql'],
    ] as const)
      expect(recognise(container({ image: 'postgres' }, { labels: { [label]: value } }))).toBeUndefined();
  });
});
