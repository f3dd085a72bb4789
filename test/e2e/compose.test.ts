/** The example for compose, run as it is by a real Docker, with images that are made here. */
import { execFile } from 'node:child_process';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { which } from '../fixtures/cli.ts';
import { DockerEngine, HAS_DOCKER } from '../fixtures/docker.ts';
import { buildRespaldoImage, importServerImage } from '../fixtures/images.ts';

const run = promisify(execFile);
const EXAMPLE = join(import.meta.dirname, '../../examples/compose');
/** The test's engine has no network of its own; the database needs none to be backed up. */
const OFFLINE = { services: { db: { network_mode: 'none' } } };

const PROGRAMS = ['docker-compose', 'docker-compose-2'].filter((program) => which(program) !== undefined);

describe.skipIf(!HAS_DOCKER)('The example for compose', () => {
  let engine: DockerEngine;
  beforeAll(async () => {
    engine = await DockerEngine.start();
    await importServerImage(engine, 'made-here/postgres');
    await buildRespaldoImage(engine, 'made-here/respaldo');
  });
  afterAll(async () => {
    await engine[Symbol.asyncDispose]();
  });

  describe.each(PROGRAMS)('by %s', (program) => {
    const RESTORED = `${program}-restored`;
    let folder: string;
    beforeAll(async () => {
      folder = join(engine.folder, `shop-${program}`);
      await cp(EXAMPLE, folder, { recursive: true });
      await mkdir(join(folder, 'secrets'), { mode: 0o700 });
      for (const name of ['postgres', 'repository'])
        await writeFile(join(folder, 'secrets', name), `${name} password\n`);
      await writeFile(join(folder, 'offline.json'), JSON.stringify(OFFLINE));
    });

    const compose = async (...args: string[]): Promise<string> => {
      const env = {
        PATH: process.env.PATH,
        DOCKER_HOST: engine.host,
        POSTGRES_IMAGE: 'made-here/postgres',
        RESPALDO_IMAGE: 'made-here/respaldo',
      };
      const files = ['-f', 'compose.yaml', '-f', 'offline.json'];
      return (await run(program, [...files, ...args], { cwd: folder, env })).stdout;
    };
    const sql = (text: string) => compose('exec', '-T', 'db', 'psql', '-U', 'postgres', '-qAtc', text);

    it('starts, backs up what the database holds, and gives it back in a new volume', async () => {
      await compose('up', '-d', 'db');
      await compose('run', '--rm', 'respaldo', 'init');
      await sql('CREATE TABLE t AS SELECT i, md5(i::text) FROM generate_series(1, 5000) AS i');
      const before = await sql("SELECT count(*), md5(string_agg(t::text, '' ORDER BY i)) FROM t");
      await compose('run', '--rm', 'respaldo', 'backup');
      const snapshots = JSON.parse(await compose('run', '--rm', 'respaldo', 'snapshots', '--json')) as unknown;
      expect(snapshots).toMatchObject([{ hostname: 'pc-db', tags: ['plan=pc_db', 'type=full'] }]);

      await compose('stop', 'db');
      await engine.docker('volume', 'create', RESTORED);
      const open = ['run', '--rm', '-u', '0', '--network=none', '-v', `${RESTORED}:/r`, '--entrypoint', 'chown'];
      await engine.docker(...open, 'made-here/postgres', '10001:10001', '/r');
      const restore = ['respaldo', 'restore', 'latest', '--target', '/restored/pgdata'];
      await compose('run', '--rm', '--no-deps', '-v', `${RESTORED}:/restored`, ...restore);
      await engine.docker(...open, 'made-here/postgres', '-R', '70:70', '/r');
      const volume = { ...OFFLINE, volumes: { postgres_data: { external: true, name: RESTORED } } };
      await writeFile(join(folder, 'offline.json'), JSON.stringify(volume));
      await compose('up', '-d', 'db');
      await compose('exec', '-T', 'db', 'sh', '-c', 'until pg_isready -q; do sleep 0.1; done');
      expect(await sql("SELECT count(*), md5(string_agg(t::text, '' ORDER BY i)) FROM t")).toBe(before);
    });

    it('runs Respaldo as nobody, without a network, in a file system that it cannot change', async () => {
      const script = `
        let denied = '';
        try { fs.writeFileSync('/usr/x', ''); } catch ({ code }) { denied = code; }
        console.log(JSON.stringify([process.getuid(), Object.keys(os.networkInterfaces()), denied]));`;
      const said = await compose('run', '--rm', '--no-deps', '--entrypoint', 'node', 'respaldo', '-e', script);
      expect(JSON.parse(said)).toEqual([10001, ['lo'], 'EROFS']);
    });
  });
});
