/** Databases of which not two are alike: what is restored of a dump gives the same dump again, byte by byte. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Finding } from '../../src/domain/finding.ts';
import { addressOf, dumpInto, ioOf, requestFor, restoreDump, restorer } from '../fixtures/dumps.ts';
import { Cluster, DEBIAN_15, debianBinaries } from '../fixtures/postgres.ts';

const ODD = fileURLToPath(new URL('../fixtures/odd-database.sql', import.meta.url));

describe.skipIf(!existsSync(DEBIAN_15))('a dump and what is restored of it', () => {
  let server: Cluster;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'respaldo-odd-'));
    await chmod(folder, 0o755);
    server = await Cluster.create(await debianBinaries());
    await server.start();
  });
  afterAll(async () => {
    await server.remove();
    await rm(folder, { recursive: true, force: true });
  });

  it(
    'are the same, whatever there is in a database; what fails is taken away, subscriptions and all',
    { timeout: 180_000 },
    async () => {
      await server.query('CREATE DATABASE odd');
      run('psql', 'odd', '-X', '-q', '-f', ODD);
      const { captured, snapshot } = await dumpInto(folder, server, 'odd');
      const request = requestFor({ dump: { snapshot }, address: addressOf(server, 'copy') });
      await restoreDump(request);
      expect(dumped('copy')).toBe(dumped('odd'));

      const constraints = join(captured, 'dump/odd/constraints.sql');
      await writeFile(constraints, `${await readFile(constraints, 'utf8')}SELECT 1 / 0;\n`);
      const other = { ...request, address: addressOf(server, 'other') };
      const findings: Finding[] = [];
      const io = ioOf({ report: (finding) => findings.push(finding) });
      await expect(restorer().carryOut(await restorer().plan(other, io), other, io)).rejects.toThrow(
        'division by zero',
      );
      expect(findings).toEqual([]);
      expect(await databases()).toEqual(['copy', 'odd', 'postgres']);
    },
  );

  it('are the same in other encodings, names too', { timeout: 180_000 }, async () => {
    await server.query(`CREATE DATABASE old TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'`);
    const rows = `SELECT 'üñ' || repeat('x', 90) AS "ñ" FROM generate_series(1, 12000)`;
    await server.query(
      `CREATE TABLE "größe" AS ${rows}; CREATE TABLE small AS ${rows}; CREATE SEQUENCE "ä"`,
      [],
      'old',
    );
    const { snapshot } = await dumpInto(folder, server, 'old');
    await restoreDump(requestFor({ dump: { snapshot }, address: addressOf(server, 'older') }));
    expect(dumped('older')).toBe(dumped('old'));
    await server.query('DROP DATABASE old');
    await server.query('DROP DATABASE older');
  });

  it('are there for all databases at once, that of the server itself too', async () => {
    await server.query('CREATE DATABASE "a ñ"');
    const { snapshot } = await dumpInto(folder, server, '');
    await restoreDump(requestFor({ dump: { snapshot }, address: addressOf(server), disconnect: true }));
    const plan = await restorer().plan(requestFor({ dump: { snapshot }, address: addressOf(server) }), ioOf());
    expect(plan.obstacles).toEqual([]);
  });

  it('know of roles to whom only a function or a schema belongs', async () => {
    await server.query('CREATE DATABASE owned');
    await server.query('CREATE ROLE gone; CREATE SCHEMA s AUTHORIZATION gone', [], 'owned');
    const { snapshot } = await dumpInto(folder, server, 'owned');
    await server.query('DROP DATABASE owned');
    await server.query('DROP ROLE gone');
    const request = requestFor({ dump: { snapshot }, address: addressOf(server) });
    expect((await restorer().plan(request, ioOf())).missingRoles).toEqual(['gone']);
    await restoreDump({ ...request, createRoles: true });
    expect(await server.query(`SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 's'`, [], 'owned')).toEqual([
      { nspowner: 'gone' },
    ]);
  });

  /** What pg_dump says of a database, but for its name and the words that are new every time. */
  function dumped(name: string): string {
    const text = run('pg_dump', name, '--create', '--encoding=UTF8');
    return text.replaceAll(/^\\(?:un)?restrict .*\n/gm, '').replaceAll(new RegExp(`\\b${name}\\b`, 'g'), 'odd');
  }

  function run(program: 'psql' | 'pg_dump', database: string, ...args: string[]): string {
    const env = { PGHOST: server.folder, PGPORT: String(server.port), PGUSER: 'postgres', PGDATABASE: database };
    const options = { env: { ...env, PGCLIENTENCODING: 'UTF8' }, maxBuffer: 2 ** 28, stdio: 'pipe' as const };
    return execFileSync(join(DEBIAN_15, program), args, options).toString('utf8');
  }

  async function databases(): Promise<string[]> {
    const rows = await server.query('SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1');
    return rows.map(({ datname }) => String(datname));
  }
});
