import { execFileSync } from 'node:child_process';
import {
  closeSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeName } from '../../domain/name.ts';
import { readAttributes, writeAttributes } from './attributes.ts';
import { syncFilesystem, syncPath } from './durable.ts';
import { fsPath, showPath } from './path.ts';
import { canMakeSpecial, makeSpecial } from './special.ts';
import { setTimes } from './times.ts';

let folder = '';
/** A descriptor that no process has. */
const CLOSED = 2 ** 30;
const bad = decodeName(Uint8Array.of(0x61, 0xff, 0xc3, 0x0a));
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'respaldo-filesystem-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function withOpen(path: string, use: (fd: number) => void): void {
  const fd = openSync(path, 'w');
  try {
    use(fd);
  } finally {
    closeSync(fd);
  }
}

describe('paths', () => {
  it('stay strings where they are text, and are shown readably where they are not', () => {
    expect(fsPath('/año')).toBe('/año');
    expect(fsPath(`/${bad}`)).toEqual(Buffer.from([0x2f, 0x61, 0xff, 0xc3, 0x0a]));
    expect(showPath(`/${bad}😀`)).toBe('/a\\xff\\xc3\n😀');
  });
});

describe('setTimes', () => {
  it.each([
    ['in this century', 1_700_000_000_123_456_789n],
    ['before 1970', -1_234_567_891n],
    ['one nanosecond before 1970', -1n],
  ])('is exact to the nanosecond, %s, for files, folders, symlinks and names that are not text', (_when, mtime) => {
    const paths = [join(folder, 'file'), `${folder}/${bad}`];
    for (const path of paths) writeFileSync(fsPath(path), '');
    mkdirSync(join(folder, 'folder'), { recursive: true });
    rmSync(join(folder, 'link'), { force: true });
    symlinkSync('file', join(folder, 'link'));
    for (const path of [join(folder, 'link'), join(folder, 'folder'), ...paths]) {
      setTimes(fsPath(path), 1_600_000_000_000_000_001n, mtime);
      const { mtimeNs, atimeNs } = lstatSync(fsPath(path), { bigint: true });
      expect([mtimeNs, atimeNs]).toEqual([mtime, 1_600_000_000_000_000_001n]);
    }
  });

  it('is as exact for an open file, whatever its path has become', () => {
    const path = join(folder, 'open');
    withOpen(path, (fd) => {
      renameSync(path, `${path} elsewhere`);
      setTimes(fd, -1n, 1_700_000_000_123_456_789n);
    });
    const { mtimeNs, atimeNs } = lstatSync(`${path} elsewhere`, { bigint: true });
    expect([mtimeNs, atimeNs]).toEqual([1_700_000_000_123_456_789n, -1n]);
  });

  it('says which path it could not change', () => {
    expect(() => {
      setTimes(join(folder, 'nothing'), 0n, 0n);
    }).toThrow(expect.objectContaining({ code: 'ENOENT', syscall: 'utimensat' }));
    expect(() => {
      setTimes(CLOSED, 0n, 0n);
    }).toThrow(expect.objectContaining({ code: 'EBADF', syscall: 'futimens' }));
  });
});

describe('extended attributes', () => {
  const long = { name: 'user.long', value: Buffer.alloc(3000, 7).toString('base64') };
  const short = { name: 'user.año', value: Buffer.from([0, 255]).toString('base64') };

  it('come back as they were written, empty and long ones too, and others are removed', () => {
    const path = `${folder}/${bad}-attributes`;
    writeFileSync(fsPath(path), '');
    writeAttributes(fsPath(path), [short, { name: 'user.empty', value: '' }, { name: 'user.old', value: 'AA==' }]);
    writeAttributes(fsPath(path), [short, { name: 'user.empty', value: '' }, long]);
    const read = readAttributes(fsPath(path)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    expect(read).toEqual(
      [short, { name: 'user.empty', value: '' }, long].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    );
  });

  it('of an open file are written and removed in the same way', () => {
    const path = join(folder, 'open with attributes');
    withOpen(path, (fd) => {
      writeAttributes(fd, [short, { name: 'user.old', value: 'AA==' }]);
      writeAttributes(fd, [short, long]);
    });
    expect(readAttributes(path).toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual([short, long]);
    expect(() => {
      writeAttributes(CLOSED, [short]);
    }).toThrow(expect.objectContaining({ code: 'EBADF' }));
  });

  it('are none on a fresh file, and an error for a missing one', () => {
    writeFileSync(join(folder, 'plain'), '');
    expect(readAttributes(join(folder, 'plain'))).toEqual([]);
    expect(() => readAttributes(join(folder, 'nothing'))).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });

  it('are skipped where a file system has none', () => {
    expect(readAttributes('/proc/self/status')).toEqual([]);
  });
});

describe('special files', () => {
  it.runIf(canMakeSpecial())('are made as fifos, and as devices by root', () => {
    const fifo = join(folder, 'fifo');
    makeSpecial(fifo, 'fifo', 0n);
    expect(lstatSync(fifo).isFIFO()).toBe(true);
    expect(() => {
      makeSpecial(fifo, 'fifo', 0n);
    }).toThrow(expect.objectContaining({ code: 'EEXIST' }));
    if (process.getuid?.() !== 0) return;
    const device = join(folder, 'null');
    makeSpecial(device, 'chardev', 0x103n);
    expect(execFileSync('stat', ['-c', '%t:%T %F', device], { encoding: 'utf8' })).toBe('1:3 character special file\n');
  });
});

describe('durability', () => {
  it('syncs a file system and a path, and fails for a missing one', () => {
    expect(syncFilesystem(folder)).toBe(canMakeSpecial());
    syncPath(folder);
    expect(() => syncFilesystem(join(folder, 'nothing'))).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });
});
