import { execFile } from 'node:child_process';
import { link, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeName } from './name.ts';
import { tarEnd, tarHeader, tarPadding } from './tar.ts';
import { readTarMembers } from './tar-reader.ts';

const LONG = `${'very-'.repeat(40)}long`;
let folder: string;
let archive: Buffer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'respaldo-pax-'));
  await mkdir(join(folder, 'in', 'sub'), { recursive: true });
  await writeFile(join(folder, 'in', LONG), 'long');
  await writeFile(join(folder, 'in', 'sub', 'ñandú'), 'utf-8');
  await writeFile(Buffer.from(`${folder}/in/bad\xff`, 'latin1'), 'bytes');
  await link(join(folder, 'in', LONG), join(folder, 'in', 'other'));
  await promisify(execFile)('mkfifo', [join(folder, 'in', 'pipe')]);
  const tar = ['--format=posix', '--sort=name', '--owner=3000000', '--group=5', '--mtime=@1700000000.25'];
  await promisify(execFile)('tar', ['-C', join(folder, 'in'), ...tar, '-cf', join(folder, 'out.tar'), '.']);
  archive = await readFile(join(folder, 'out.tar'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a tar archive with pax records', () => {
  it('gives long names, names of any bytes, links, large numbers and fractions of seconds', async () => {
    const members = await gather(archive);
    const pair = members.filter(({ name }) => name === LONG || name === 'other');
    expect(pair.map(({ kind }) => kind).toSorted()).toEqual(['file', 'hard-link']);
    const others = members.filter((member) => !pair.includes(member));
    expect(others.map(({ kind, name }) => `${kind} ${name}`).toSorted()).toEqual(
      ['directory ', 'directory sub', 'fifo pipe', 'file bad\udcff', 'file sub/ñandú'].toSorted(),
    );
    expect(pair.find(({ kind }) => kind === 'hard-link')?.target).toBe(pair.find(({ kind }) => kind === 'file')?.name);
    for (const member of members) expect(member).toMatchObject({ uid: 3_000_000, gid: 5, mtime: 1_700_000_000.25 });
    expect(members.find(({ name }) => name === 'bad\udcff')?.content.toString()).toBe('bytes');
  });

  it('never ends normally when it is cut short', async () => {
    const end = archive.length - trailer(archive);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: end + 1023 }), async (length) => {
        await expect(gather(archive.subarray(0, length))).rejects.toThrow('broken');
      }),
    );
  });

  it('lets whoever sends it know that no more is wanted', async () => {
    let isClosed = false;
    const sent = async function* () {
      try {
        yield* pieces(archive);
      } finally {
        isClosed = true;
      }
    };
    for await (const { name } of readTarMembers(sent(), (what) => new Error(what))) if (name !== '') break;
    expect(isClosed).toBe(true);
  });

  it('fails, or gives members, and nothing else, whatever bytes it consists of', async () => {
    const flips = fc.array(fc.tuple(fc.nat(archive.length - 1), fc.nat(255)), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(flips, async (changes) => {
        const damaged = Buffer.from(archive);
        for (const [at, byte] of changes) damaged[at] = byte;
        await gather(damaged).catch((error: unknown) => expect(String(error)).toContain('broken'));
      }),
    );
  });

  it('gives what our own writer wrote', async () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 150 })
      .filter((it) => /^[^\0/.][^\0/]*$/.test(it));
    await fc.assert(
      fc.asyncProperty(name, fc.uint8Array({ maxLength: 2000 }), fc.nat(2 ** 40), async (path, content, uid) => {
        const header = tarHeader({ path, type: 'file', size: content.length, mode: 0o4640, uid, gid: 7 });
        const [member, ...others] = await gather(
          Buffer.concat([header, content, tarPadding(content.length), tarEnd()]),
        );
        expect(others).toEqual([]);
        expect(member).toMatchObject({ kind: 'file', mode: 0o4640, uid, gid: 7, content: Buffer.from(content) });
        expect(Buffer.from(encodeName(member?.name ?? ''))).toEqual(Buffer.from(encodeName(path)));
      }),
    );
  });
});

async function gather(bytes: Buffer) {
  const members = [];
  for await (const { content, ...member } of readTarMembers(pieces(bytes), (what) => new Error(`broken: ${what}`)))
    members.push({ ...member, content: Buffer.concat(await Array.fromAsync(content)) });
  return members;
}

async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 700) yield await Promise.resolve(bytes.subarray(at, at + 700));
}

/** How many empty bytes end it. */
function trailer(bytes: Buffer): number {
  let length = 0;
  while (bytes.subarray(bytes.length - length - 512, bytes.length - length).every((byte) => byte === 0)) length += 512;
  return length;
}
