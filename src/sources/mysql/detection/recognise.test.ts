import { describe, expect, it } from 'vitest';
import type { Workload, WorkloadContainer } from '../../../domain/workload.ts';
import { recognise } from './recognise.ts';

const container = (about: Partial<WorkloadContainer>): WorkloadContainer => ({
  ...{ name: 'c', image: 'busybox', variables: {}, ports: [], hostPorts: [] },
  ...about,
});

function workload(first: Partial<WorkloadContainer>, more: Partial<Workload> = {}): Workload {
  return {
    target: { kind: 'docker', container: 'shop-db', labels: [] },
    place: 'the container shop-db',
    name: 'shop-db',
    labels: {},
    containers: [container(first)],
    ...more,
  };
}

describe('a container', () => {
  it.each([
    ['mariadb:11.4', {}, 'user root', '11.4'],
    ['docker.io/library/mysql:8.0.36', { MYSQL_ROOT_PASSWORD: '' }, 'its own MYSQL_ROOT_PASSWORD', '8.0.36'],
    [
      'mariadb',
      { MARIADB_ROOT_PASSWORD_FILE: '/run/secrets/p', MARIADB_VERSION: '1:11.4.2+maria~ubu' },
      'its own MARIADB_ROOT_PASSWORD_FILE',
      '11.4.2',
    ],
    ['mysql:8', { MYSQL_USER: 'app', MYSQL_PASSWORD: '' }, 'its own MYSQL_USER, MYSQL_PASSWORD', '8'],
    ['percona/percona-server:8.0', {}, 'user root', '8.0'],
  ])('of the image %s is a server', (image, variables, login, version) => {
    expect(recognise(workload({ image, variables }))).toMatchObject({
      kind: 'mysql',
      address: 'mysql:///',
      login,
      version,
    });
  });

  it.each([
    'prom/mysqld-exporter',
    'mariadb/maxscale',
    'phpmyadmin',
    'mysql/mysql-router',
    'databack/mysql-backup',
    'postgres:16',
  ])('of the image %s is none', (image) => {
    expect(recognise(workload({ image }))).toBeUndefined();
  });

  it('that is told where a server is, is none', () => {
    const variables = { MYSQL_HOST: 'db', MYSQL_DATABASE: 'shop' };
    expect(recognise(workload({ image: 'shop', variables, ports: [3306] }))).toBeUndefined();
  });

  it('may say itself what it is, or that it is nothing', () => {
    const labels = { 'respaldo.source': 'mariadb', 'respaldo.databases': 'shop, a b', 'respaldo.plan': 'main' };
    expect(recognise(workload({ image: 'own' }, { labels }))).toMatchObject({
      name: 'main',
      address: 'mysql:///shop,a%20b',
    });
    expect(recognise(workload({ image: 'acme/backup-mysql' }, { labels }))).toMatchObject({ name: 'main' });
    expect(recognise(workload({ image: 'mysql:8' }, { labels: { 'respaldo.enable': 'false' } }))).toBeUndefined();
    expect(recognise(workload({ image: 'mysql:8' }, { labels: { 'respaldo.source': 'postgres' } }))).toBeUndefined();
  });
});

it('of a pod the container that is the server is meant', () => {
  const target = { kind: 'kubernetes', pod: 'mysql-0', namespace: 'shop', labels: [] } as const;
  const containers: Workload['containers'] = [
    container({ image: 'prom/mysqld-exporter', name: 'metrics' }),
    container({ image: 'mysql:8.4', name: 'mysql' }),
  ];
  expect(recognise(workload({}, { target, name: 'mysql-0', containers }))).toMatchObject({
    target: { container: 'mysql' },
    version: '8.4',
  });
});
