import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DetectedServer } from '../domain/detection.ts';
import type { RuntimeTarget } from '../domain/runtime-target.ts';
import { addressChecks } from './addresses.ts';
import { parseConfig } from './parse.ts';
import { starterConfig } from './starter.ts';

const PASSWORD = { env: 'RESPALDO_PASSWORD' };
const parse = (text: string) => parseConfig(text, '/etc/respaldo.yaml', addressChecks('/etc'));

function server(part: Partial<DetectedServer> = {}): DetectedServer {
  return {
    kind: 'postgres',
    name: 'shop-db',
    place: 'the container shop-db',
    target: { kind: 'docker', container: 'shop-db', labels: [] },
    address: 'postgresql:///?method=logical',
    reasons: ['image postgres:16'],
    login: 'its own POSTGRES_USER, POSTGRES_PASSWORD',
    hostPorts: [],
    ...part,
  };
}

describe('a first configuration', () => {
  it('has a plan for each server, which runs where the server is', async () => {
    const pod = { kind: 'kubernetes', namespace: 'shop', pod: 'db-0', labels: [], container: 'postgres' } as const;
    const byLabels = { kind: 'kubernetes', namespace: 'shop', labels: ['app=db', 'tier=a'] } as const;
    const servers = [
      server(),
      server({ name: 'db-0', target: pod }),
      server({ name: 'db-0', target: byLabels }),
      server({ name: 'postgres', target: { kind: 'host' } }),
    ];
    const { config, problems } = await parse(starterConfig({ url: './backups', password: PASSWORD, servers }));
    expect(problems).toBeUndefined();
    expect([...(config?.plans.values() ?? [])].map(({ name, runtime }) => [name, runtime])).toEqual([
      ['shop-db', servers[0]?.target],
      ['db-0', pod],
      ['db-0-2', byLabels],
      ['postgres', undefined],
    ]);
    expect(config?.repositories.get('main')).toMatchObject({ url: '/etc/backups', password: PASSWORD });
  });

  it('tells what it leaves out: replicas, and what does not run', () => {
    const servers = [server(), server({ role: 'replica', place: 'the copy' }), server({ obstacle: 'exited' })];
    const text = starterConfig({ url: './backups', password: PASSWORD, servers });
    expect(text).toContain('# Left out, since it is a replica: PostgreSQL in the copy');
    expect(text).toContain('not running (exited)');
    expect(text.match(/^ +source: postgresql/gm)).toHaveLength(1);
  });

  it('tells how each server is backed up by its files instead', () => {
    const physical = 'postgresql://postgres@localhost:5432/?method=physical';
    const host = { target: { kind: 'host' } } as const;
    const servers = [server({ hostPorts: [5433] }), server(), server({ ...host, physical }), server(host)];
    const text = starterConfig({ url: './backups', password: PASSWORD, servers });
    const told = [...text.matchAll(/# .*?(postgresql:\S+physical|method=physical at the end)/g)].map(
      ([, what]) => what,
    );
    expect(told).toEqual([
      'postgresql://postgres@localhost:5433/?method=physical',
      'postgresql://user@host:5432/?method=physical',
      physical,
      'method=physical at the end',
    ]);
  });

  it('is valid where nothing was found', async () => {
    const { config } = await parse(starterConfig({ url: './backups', password: PASSWORD, servers: [] }));
    expect(config?.plans.size).toBe(0);
  });

  it('is valid whatever servers are called, and whatever they say of themselves', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', minLength: 1 }),
      fc.constantFrom('yes', '1', 'a: b', '# c', 'x\ny:'),
    );
    const label = fc.stringMatching(/^[a-z./-]{1,10}=[\w.:{}'"-]{0,10}$/);
    const target: fc.Arbitrary<RuntimeTarget> = fc.oneof(
      fc.record({ kind: fc.constant('docker' as const), container: text, labels: fc.constant([]) }),
      fc.record({
        kind: fc.constant('kubernetes' as const),
        namespace: text,
        labels: fc.array(label, { minLength: 1 }),
      }),
    );
    const any = fc.record({ name: text, place: text, login: text, reasons: fc.array(text, { minLength: 1 }), target });
    await fc.assert(
      fc.asyncProperty(fc.array(any, { maxLength: 4 }), async (parts) => {
        const servers = parts.map(server);
        const { config, problems } = await parse(starterConfig({ url: './backups', password: PASSWORD, servers }));
        expect(problems).toBeUndefined();
        const runtimes = [...(config?.plans.values() ?? [])].map(({ runtime }) => runtime);
        expect(runtimes).toHaveLength(parts.length);
        expect(runtimes).toEqual(expect.arrayContaining(parts.map((it) => it.target)));
      }),
    );
  });
});
