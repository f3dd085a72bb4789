import { chmod, copyFile, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHECKOUT_BIN as BIN, which, Workplace } from '../fixtures/cli.ts';

/** A Node below 24, where the machine has one. */
async function olderNode(place: Workplace): Promise<string | undefined> {
  for (const node of ['/usr/bin/node', which('node')]) {
    if (node === undefined || node === process.execPath) continue;
    const version = await place.run(node, '-p', 'process.versions.node').catch(() => '24');
    if (Number.parseInt(version) < 24) return node;
  }
  return undefined;
}

describe('bin/respaldo.js', () => {
  let place: Workplace;
  let older: string | undefined;
  beforeAll(async () => {
    place = await Workplace.withRepository();
    older = await olderNode(place);
  });
  afterAll(() => place[Symbol.asyncDispose]());

  it('starts from anywhere, through a link, and warns of nothing', async () => {
    await symlink(BIN, place.path('respaldo'));
    const { code, stdout, stderr } = await place.startProgram([process.execPath, place.path('respaldo'), 'runs']).ended;
    expect([code, stdout, stderr]).toEqual([0, 'nothing was run yet\n', '']);
  });

  it('silences experiments alone, so that other warnings are seen', async () => {
    const warn = (type: string): string => `process.emitWarning('look here', '${type}');`;
    await mkdir(place.path('package/src'), { recursive: true });
    await mkdir(place.path('package/bin'));
    await copyFile(BIN, place.path('package/bin/respaldo.js'));
    await writeFile(place.path('package/package.json'), '{ "type": "module" }');
    await writeFile(place.path('package/src/main.ts'), warn('ExperimentalWarning') + warn('DeprecationWarning'));
    const { stderr } = await place.startProgram([process.execPath, place.path('package/bin/respaldo.js')]).ended;
    expect(stderr).toContain('DeprecationWarning: look here');
    expect(stderr).not.toContain('ExperimentalWarning');
  });

  it('keeps compiled code for the next start, but only where nobody else could plant some', async () => {
    const version = (env: NodeJS.ProcessEnv) =>
      place.startProgram([process.execPath, BIN, 'version'], { ...env, NODE_COMPILE_CACHE: undefined }).ended;
    const cacheAfter = async (name: string, mode: number): Promise<string[]> => {
      await mkdir(place.path(name));
      await chmod(place.path(name), mode);
      await version({ XDG_CACHE_HOME: place.path(name) });
      return readdir(place.path(name), { recursive: true });
    };
    expect(await cacheAfter('private', 0o700)).not.toEqual([]);
    expect(await cacheAfter('shared', 0o777)).toEqual([]);
    expect((await version({ XDG_CACHE_HOME: '/proc/nowhere' })).stderr).toBe('');
  });

  it('runs in the Node beside it when started by an older one: same output, same exit code', async ({ skip }) => {
    if (older === undefined) return skip('there is no older Node here');
    const version = await place.startProgram([older, BIN, 'version']).ended;
    expect(version.stdout).toMatch(/^respaldo \S+ on node 24\./);
    expect(version.stderr).toBe('');
    const failed = await place.startProgram([older, BIN, 'snapshots'], { RESPALDO_PASSWORD: 'wrong' }).ended;
    expect(failed.code).toBe(12);
    const piped = await place.run('sh', '-c', '"$0" "$1" snapshots --json | cat', older, BIN);
    expect(piped).toBe('[]\n');
  });

  it('says what it needs where there is no Node that is new enough', async ({ skip }) => {
    if (older === undefined) return skip('there is no older Node here');
    await mkdir(place.path('alone/bin'), { recursive: true });
    await copyFile(BIN, place.path('alone/bin/respaldo.js'));
    await writeFile(place.path('alone/package.json'), '{ "type": "module" }');
    const { code, stderr } = await place.startProgram([older, place.path('alone/bin/respaldo.js'), 'version']).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^respaldo: needs Node\.js 24 or newer; this is v\d+/);
  });

  it('says so where the current folder is gone', async () => {
    const script = 'mkdir gone && cd gone && rmdir ../gone && exec "$0" "$1" snapshots';
    const { code, stderr } = await place.startProgram(['sh', '-c', script, process.execPath, BIN]).ended;
    expect(code).toBe(2);
    expect(stderr).toContain('the folder that you are in does not exist any more');
  });
});
