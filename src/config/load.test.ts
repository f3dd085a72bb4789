import { chmod, chown, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inspectConfig, loadConfig, shownPath } from './load.ts';

let folder: string;
let deep: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'respaldo-load-'));
  deep = path.join(folder, 'a', 'b');
  file = path.join(folder, 'respaldo.yaml');
  await mkdir(deep, { recursive: true });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const VALID = 'repositories: { main: { url: ./backups } }\n';

async function write(text: string | Uint8Array, mode = 0o644): Promise<void> {
  await writeFile(file, text);
  await chmod(file, mode);
}

describe('looking upwards', () => {
  it('finds the nearest file above the working folder', async () => {
    await write(VALID);
    const config = await loadConfig({ workingDirectory: deep });
    expect(config?.file).toBe(file);
    expect(config?.repositories.get('main')?.url).toBe(path.join(folder, 'backups'));
    await writeFile(path.join(deep, 'respaldo.yaml'), '{}', { mode: 0o600 });
    expect((await loadConfig({ workingDirectory: deep }))?.file).toBe(path.join(deep, 'respaldo.yaml'));
  });

  it('finds nothing where there is nothing', async () => {
    expect(await loadConfig({ workingDirectory: deep })).toBeUndefined();
  });

  it.each([
    [0o666, 'others'],
    [0o664, 'the group'],
    [0o602, 'others alone'],
  ])('refuses a file of mode %o, which %s may change, and says what to do', async (mode) => {
    await write(VALID, mode);
    await expect(loadConfig({ workingDirectory: deep })).rejects.toMatchObject({
      code: 'config',
      message: `${file} can be changed by other users and is not used`,
      hint: `chmod go-w ${file}, or name it by --config ${file}.`,
    });
    expect((await loadConfig({ workingDirectory: deep, file: '../../respaldo.yaml' }))?.file).toBe(file);
  });

  it.runIf(process.getuid?.() === 0)('refuses the file of another user, and what a link to one shows', async () => {
    await write(VALID);
    await chown(file, 65534, 65534);
    const refusal = { code: 'config', hint: `If you trust it: chown 0 ${file}, or name it by --config ${file}.` };
    await expect(loadConfig({ workingDirectory: deep })).rejects.toMatchObject(refusal);
    const link = path.join(deep, 'respaldo.yaml');
    await symlink(file, link);
    await expect(loadConfig({ workingDirectory: deep })).rejects.toMatchObject({ code: 'config' });
    expect((await loadConfig({ workingDirectory: deep, file: link }))?.repositories.size).toBe(1);
  });

  it('refuses a folder of that name instead of looking further up', async () => {
    await write(VALID);
    await mkdir(path.join(deep, 'respaldo.yaml'));
    await expect(loadConfig({ workingDirectory: deep })).rejects.toThrow('is not a file');
  });
});

describe('a file that cannot be used', () => {
  it('is told with every problem and its place, as seen from the working folder', async () => {
    await write('plans: { a: { sorce: x } }\nnope: 1\n');
    await expect(loadConfig({ workingDirectory: deep })).rejects.toThrow(
      [
        '../../respaldo.yaml:1:10 plans.a.source: is missing: text or a mapping (key: value) or a list is expected here',
        '../../respaldo.yaml:1:15 plans.a.sorce: unknown key, did you mean source?',
        '../../respaldo.yaml:2:1 nope: unknown key',
      ].join('\n'),
    );
    const inspected = await inspectConfig({ workingDirectory: folder });
    expect(inspected?.problems).toHaveLength(3);
    expect(inspected?.file).toBe(file);
  });

  it('is cut short where nobody would read on', async () => {
    await write(Array.from({ length: 200 }, (_, at) => `k${at}: 1`).join('\n'));
    const error: unknown = await loadConfig({ workingDirectory: folder }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ message: expect.stringMatching(/k49: unknown key\n… and 150 more$/) as string });
  });

  it('judges addresses by the stores and sources that exist', async () => {
    await write('repositories: { a: { url: "nope:x" } }\nplans: { p: { source: [./ok, "gopher:x"] } }\n');
    await expect(loadConfig({ workingDirectory: folder })).rejects.toThrow(
      /1:27 repositories\.a\.url: "nope:" is no kind of store[^\n]*\n[^\n]*2:30 plans\.p\.source\.1: "gopher:" is no kind of source/,
    );
  });

  it.each([
    [new Uint8Array([0x61, 0xff]), 'it is not UTF-8 text'],
    [' '.repeat(300_000), 'is larger than a configuration can be'],
  ])('is refused if it holds %s', async (content, reason) => {
    await write(content);
    await expect(loadConfig({ workingDirectory: folder })).rejects.toThrow(reason);
  });

  it('is refused if it is not there', async () => {
    await expect(loadConfig({ workingDirectory: folder, file: 'none.yaml' })).rejects.toThrow(
      `cannot read ${path.join(folder, 'none.yaml')}: there is no such file`,
    );
  });
});

it('is shown the shorter way', () => {
  expect(shownPath('/a/b/respaldo.yaml', { workingDirectory: '/a/b' })).toBe('respaldo.yaml');
  expect(shownPath('/home/respaldo.yaml', { workingDirectory: '/home/b' })).toBe('../respaldo.yaml');
  expect(shownPath('/r.yaml', { workingDirectory: '/a/b/c/d' })).toBe('/r.yaml');
});
