import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTar } from './tar.ts';

const LARGE = Buffer.alloc(70_000, 'page');
let archive: Buffer;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'respaldo-tar-'));
  await mkdir(join(folder, 'in', 'base'), { recursive: true });
  await writeFile(join(folder, 'in', 'base', '16384'), LARGE);
  await writeFile(join(folder, 'in', 'empty'), '');
  await symlink('/var/tablespace', join(folder, 'in', 'link'));
  const tar = ['--format=ustar', '--sort=name', '--mtime=@1700000000', '--numeric-owner', '--owner=999', '--group=998'];
  await promisify(execFile)('tar', ['-C', join(folder, 'in'), ...tar, '-cf', join(folder, 'out.tar'), '.']);
  archive = await readFile(join(folder, 'out.tar'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a tar stream', () => {
  it('gives its members, wherever the stream is cut into pieces', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4000 }), async (size) => {
        const members = await gather(pieces(archive, size));
        expect(members.map(({ kind, name }) => [kind, name])).toEqual([
          ['directory', ''],
          ['directory', 'base'],
          ['file', 'base/16384'],
          ['file', 'empty'],
          ['symlink', 'link'],
        ]);
        expect(members[2]).toMatchObject({ uid: 999, gid: 998, mtime: 1_700_000_000, content: LARGE });
        expect(members[4]?.target).toBe('/var/tablespace');
      }),
      { numRuns: 20 },
    );
  });

  it('goes on after a member that nobody read', async () => {
    const names: string[] = [];
    for await (const { name } of readTar(pieces(archive, 1000), 'base.tar')) names.push(name);
    expect(names).toEqual(['', 'base', 'base/16384', 'empty', 'link']);
  });

  it('goes on after a member that was read in part', async () => {
    const names: string[] = [];
    for await (const { name, content } of readTar(pieces(archive, 1000), 'base.tar')) {
      names.push(name);
      for await (const piece of content) if (piece.length > 0) break;
    }
    expect(names).toEqual(['', 'base', 'base/16384', 'empty', 'link']);
  });

  it('never ends normally when it is cut short', async () => {
    const trailer = archive.length - lastMemberEnd(archive);
    expect(trailer).toBeGreaterThanOrEqual(1024);
    const cuts = fc.integer({ min: 0, max: lastMemberEnd(archive) + 1023 });
    await fc.assert(
      fc.asyncProperty(cuts, async (length) => {
        await expect(gather(pieces(archive.subarray(0, length), 3000))).rejects.toThrow();
      }),
    );
  });

  it('refuses a damaged header', async () => {
    const damaged = Buffer.from(archive);
    damaged[600] = 0x41;
    await expect(gather(pieces(damaged, 3000))).rejects.toMatchObject({ code: 'source-lost' });
  });

  it('refuses names that lead out of it', async () => {
    const outside = Buffer.alloc(1536);
    outside.write('../evil', 0);
    outside.write('0', 156);
    outside.fill(' ', 148, 156);
    const sum = outside.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    outside.write(`${sum.toString(8).padStart(6, '0')}\0`, 148);
    await expect(gather(pieces(outside, 512))).rejects.toThrow('leads out');
  });
});

async function gather(
  stream: AsyncIterable<Uint8Array>,
): Promise<{ kind: string; name: string; target: string; content: Buffer }[]> {
  const members = [];
  for await (const { content, ...member } of readTar(stream, 'base.tar')) {
    const parts: Uint8Array[] = [];
    for await (const piece of content) parts.push(piece);
    members.push({ ...member, content: Buffer.concat(parts) });
  }
  return members;
}

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

/** Where the empty blocks at the end begin. */
function lastMemberEnd(bytes: Buffer): number {
  let end = bytes.length;
  while (bytes.subarray(end - 512, end).every((byte) => byte === 0)) end -= 512;
  return end;
}
