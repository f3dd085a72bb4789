/** Folders as archives of GNU tar. */
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Selection } from '../../src/domain/entry.ts';
import type { Finding } from '../../src/domain/finding.ts';
import { HostRuntime } from '../../src/runtimes/host.ts';
import type { Runtime } from '../../src/runtimes/runtime.ts';
import { directory, openDirectories } from '../../src/sources/directory/directory.ts';
import type { Increments, SourceIo } from '../../src/sources/source.ts';
import { processesOfHost } from '../fixtures/processes.ts';

const { signal } = new AbortController();
const EVERYTHING: Selection = { exclude: [], oneFileSystem: false, excludeCaches: false };

let folder: string;
let findings: Finding[];
let io: SourceIo;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'respaldo-tar-'));
  findings = [];
  io = { runtime: new HostRuntime(), signal, report: (finding) => findings.push(finding), expect: () => undefined };
});
afterEach(() => rm(folder, { recursive: true }));

async function archived(names: readonly string[], selection = EVERYTHING, at = io, increments?: Increments) {
  const source = openDirectories(
    names.map((name) => join(folder, name)),
    { workingDirectory: folder, selection, acceptDamagedPages: false },
  );
  const files = [];
  for await (const file of source.portable?.(at, increments) ?? [])
    files.push({ name: file.name, bytes: Buffer.concat(await Array.fromAsync(file.content)), about: file.about() });
  return files;
}

function members(bytes: Buffer): readonly string[] {
  const listed = execFileSync('tar', ['--list', '--quoting-style=literal', '--null'], {
    input: bytes,
    encoding: 'utf8',
  });
  return listed
    .split('\n')
    .filter((name) => name !== '')
    .toSorted();
}

/** The one that reads this test's folder. */
async function killTar(): Promise<void> {
  for (const pid of await processesOfHost(folder))
    if ((await readFile(`/proc/${String(pid)}/comm`, 'utf8').catch(() => '')) === 'tar\n') process.kill(pid, 'SIGKILL');
}

async function make(...paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), `content of ${path}`);
  }
}

describe('a folder', () => {
  it('is an archive that tar reads, and comes back as it was', async () => {
    await make('data/a', 'data/año/b c', 'data/-rf', 'data/d/e/f');
    execFileSync('setfattr', ['-n', 'user.note', '-v', 'kept', join(folder, 'data/a')]);
    execFileSync('ln', [join(folder, 'data/a'), join(folder, 'data/hard')]);
    execFileSync('truncate', ['--size=50M', join(folder, 'data/holes')]);
    const [file] = await archived(['data']);
    if (file === undefined) throw new Error('nothing was archived');
    expect(file).toMatchObject({ name: 'data', about: { facts: { path: join(folder, 'data') } } });
    expect(file.bytes.length).toBeLessThan(1_000_000);
    await mkdir(join(folder, 'out'));
    const content = (async function* () {
      yield await Promise.resolve(file.bytes);
    })();
    await directory.unpack?.(content, join(folder, 'out'), io);
    const tree = (top: string) =>
      execFileSync(
        'sh',
        ['-c', 'cd "$0" && find . -printf "%P %m %u %s %T@ %n\\n" | sort; getfattr -d data/a; md5sum data/a', top],
        { encoding: 'utf8' },
      );
    await mkdir(join(folder, 'in'));
    execFileSync('mv', [join(folder, 'data'), join(folder, 'in/data')]);
    const dated = (text: string) => text.replace(/^ .*$/m, '');
    expect(dated(tree(join(folder, 'out')))).toBe(dated(tree(join(folder, 'in'))));
    expect(findings).toEqual([]);
  });

  it('lacks what the plan leaves out, by the rules that snapshots have', async () => {
    await make(
      'data/keep/x.txt',
      'data/keep/x.tmp',
      'data/cache/big',
      'data/a*b',
      'data/aXb',
      'data/B.TMP',
      'data/sub/only/y',
    );
    await writeFile(join(folder, 'data/cache/CACHEDIR.TAG'), 'Signature: 8a477f597d28d172789f06886806bc55\n');
    await writeFile(join(folder, 'data/large'), Buffer.alloc(5000));
    const selection: Selection = {
      exclude: ['*.tmp', 'a\\*b', `${folder}/data/sub/*`, '!only'],
      iexclude: ['b.tmp'],
      oneFileSystem: true,
      excludeCaches: true,
      excludeLargerThan: 4000,
    };
    const [file] = await archived(['data'], selection);
    expect(members(file?.bytes ?? Buffer.alloc(0))).toEqual([
      'data/',
      'data/aXb',
      'data/cache/',
      'data/cache/CACHEDIR.TAG',
      'data/keep/',
      'data/keep/x.txt',
      'data/sub/',
      'data/sub/only/',
      'data/sub/only/y',
    ]);
  });

  it('ends where other file systems begin, if that is wanted, and is whole all the same', async () => {
    const increments: Increments = {
      folder: join(folder, 'state'),
      ...{ plan: 'devices', run: 'first', time: new Date(), archives: [], wanted: 'auto' },
      isThere: () => Promise.resolve(true),
    };
    // Everywhere something is mounted there; what it holds itself are devices, which have no content.
    const [file] = await archived([relative(folder, '/dev')], { ...EVERYTHING, oneFileSystem: true }, io, increments);
    expect(members(file?.bytes ?? Buffer.alloc(0)).filter((name) => name.startsWith('dev/shm'))).toEqual(['dev/shm/']);
    expect(findings.filter(({ severity }) => severity !== 'note')).toEqual([]);
    expect(file?.about.facts).not.toHaveProperty('incomplete');
  });

  it('is one archive of several, each with the end of its name', async () => {
    await make('one/a', 'two/b');
    expect((await archived(['one', 'two'])).map(({ name, bytes }) => [name, ...members(bytes)])).toEqual([
      ['one', 'one/', 'one/a'],
      ['two', 'two/', 'two/b'],
    ]);
  });

  it('with a file that may not be read is told to be incomplete, and holds the rest', async () => {
    await make('data/open', 'data/secret', 'data/zz');
    await chmod(join(folder, 'data/secret'), 0);
    await chmod(folder, 0o755);
    const nobody = { uid: 65_534, gid: 65_534 };
    const runtime: Runtime = {
      kind: 'host',
      place: 'this host',
      run: (command, until) => io.runtime.run({ ...command, user: nobody }, until),
    };
    const [file] = await archived(['data'], EVERYTHING, { ...io, runtime });
    expect(members(file?.bytes ?? Buffer.alloc(0))).toEqual(['data/', 'data/open', 'data/zz']);
    expect(findings).toMatchObject([{ severity: 'incomplete', message: expect.stringContaining('secret') as string }]);
    expect(file?.about.facts).toMatchObject({ incomplete: expect.stringContaining('1 ') as string });
  });

  it('is an error that tells nothing of its content where tar is killed', async () => {
    await make('data/secret');
    await writeFile(join(folder, 'data/secret'), Buffer.alloc(20_000_000, 'geheim'));
    const killing: Runtime = {
      kind: 'host',
      place: 'this host',
      run: async function* (command, until) {
        for await (const piece of io.runtime.run(command, until)) {
          if (piece.length > 10_000) await killTar();
          yield piece;
        }
      },
    };
    const error: unknown = await archived(['data'], EVERYTHING, { ...io, runtime: killing }).catch((it: unknown) => it);
    expect(error).toMatchObject({
      code: 'command-failed',
      message: expect.stringContaining('exit code 137') as string,
    });
    expect(String(error)).not.toContain('geheim');
  });

  it('that is not there is an error', async () => {
    await expect(archived(['nothing'])).rejects.toMatchObject({ code: 'source-missing' });
  });

  it('that changes while it is read is stored all the same', async () => {
    await make('data/log');
    const log = join(folder, 'data/log');
    await writeFile(log, Buffer.alloc(20_000_000, 'x'));
    const growing: Runtime = {
      kind: 'host',
      place: 'this host',
      run: async function* (command, until) {
        for await (const piece of io.runtime.run(command, until)) {
          if (command.argv.includes('--create')) await writeFile(log, 'more', { flag: 'a' });
          yield piece;
        }
      },
    };
    const [file] = await archived(['data'], EVERYTHING, { ...io, runtime: growing });
    expect(members(file?.bytes ?? Buffer.alloc(0))).toEqual(['data/', 'data/log']);
    expect(findings).toMatchObject([
      { severity: 'note', message: expect.stringContaining('changed as we read it') as string },
    ]);
    expect((await readFile(log)).length).toBeGreaterThan(20_000_000);
  });
});
