import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Plan } from '../domain/plan.ts';
import type { Config } from './config.ts';
import { chooseRepository, repositoryHint, resolveAccess, type RepositoryQuestion } from './repository.ts';
import { secretReader } from './secrets.ts';

const { signal } = new AbortController();
const WORK = '/home/ana';

const config: Config = {
  file: '/etc/respaldo.yaml',
  repositories: new Map([
    ['main', { name: 'main', url: '/srv/main', password: { env: 'MAIN' } }],
    ['other', { name: 'other', url: '/srv/other' }],
  ]),
  defaultRepository: 'main',
  archives: new Map(),
  plans: new Map(),
};
const undecided: Config = {
  file: config.file,
  repositories: config.repositories,
  archives: config.archives,
  plans: config.plans,
};
const plan: Plan = {
  name: 'shop',
  repository: 'other',
  sources: [{ address: 'x' }],
  folder: '/etc',
  type: 'auto',
  tags: [],
  selection: { exclude: [], oneFileSystem: false, excludeCaches: false },
  acceptDamagedPages: false,
};

function choose(question: Partial<RepositoryQuestion>) {
  return chooseRepository({ flags: {}, env: {}, workingDirectory: WORK, ...question });
}

describe('the repository', () => {
  const every = {
    flags: { repo: 'flag' },
    env: { RESPALDO_REPOSITORY: 'ours', RESTIC_REPOSITORY: 'restic' },
    config,
  };

  it.each<[string, Partial<RepositoryQuestion>, object]>([
    ['the flag before all', every, { location: { url: 'flag' } }],
    ['RESPALDO_REPOSITORY next', { ...every, flags: {} }, { location: { url: 'ours' } }],
    ["restic's variable next", { env: { RESTIC_REPOSITORY: 'restic' }, config }, { location: { url: 'restic' } }],
    ['the file last', { config }, { name: 'main', location: { url: '/srv/main' } }],
    ['the plan before the default', { config, plan }, { name: 'other', location: { url: '/srv/other' } }],
    ['the flag before the plan', { ...every, plan }, { location: { url: 'flag' } }],
    ['an address in a file', { flags: { repositoryFile: 'r' } }, { location: { file: '/home/ana/r' } }],
    ['one named by a variable', { env: { RESPALDO_REPOSITORY_FILE: '/r' } }, { location: { file: '/r' } }],
    ["one named by restic's", { env: { RESTIC_REPOSITORY_FILE: 'r' } }, { location: { file: '/home/ana/r' } }],
    ['a name as flag', { flags: { repo: 'other' }, config }, { name: 'other', location: { url: '/srv/other' } }],
    ['a name as variable', { env: { RESPALDO_REPOSITORY: 'other' }, config }, { name: 'other' }],
    ["no name in restic's variable", { env: { RESTIC_REPOSITORY: 'other' }, config }, { location: { url: 'other' } }],
    ['a folder named like a name', { flags: { repo: './other' }, config }, { location: { url: './other' } }],
    [
      'an empty variable as unset',
      { env: { RESPALDO_REPOSITORY: '', RESTIC_REPOSITORY: 'r' } },
      { location: { url: 'r' } },
    ],
  ])('is %s', (_title, question, choice) => {
    expect(choose(question)).toMatchObject(choice);
  });

  it('must be named by somebody', () => {
    expect(() => choose({})).toThrow('no repository is named');
    expect(() => choose({ config: undecided })).toThrow('which repository is meant? respaldo.yaml has main, other');
  });

  it('is not chosen where two contradict each other', () => {
    expect(() => choose({ flags: { repo: 'a', repositoryFile: 'b' } })).toThrow(
      '--repo and --repository-file contradict',
    );
    expect(() => choose({ env: { RESTIC_REPOSITORY: 'a', RESTIC_REPOSITORY_FILE: 'b' } })).toThrow(
      'RESTIC_REPOSITORY and RESTIC_REPOSITORY_FILE contradict',
    );
  });
});

describe('the password', () => {
  const RESTIC = { RESTIC_PASSWORD: 'r' };
  const OURS = { ...RESTIC, RESPALDO_PASSWORD: 'o' };

  it.each<[string, Partial<RepositoryQuestion>, unknown]>([
    ['the flag before all', { flags: { passwordFile: 'p' }, env: OURS, config }, { file: '/home/ana/p' }],
    [
      'a command as flag',
      { flags: { passwordCommand: 'pass "a b"' }, config },
      { command: ['pass', 'a b'], folder: WORK },
    ],
    ['RESPALDO_* next', { env: OURS, config }, { env: 'RESPALDO_PASSWORD' }],
    ["restic's next", { env: RESTIC, config }, { env: 'RESTIC_PASSWORD' }],
    ['the file last', { config }, { env: 'MAIN' }],
    ['a file before the bare word', { env: { ...OURS, RESPALDO_PASSWORD_FILE: '/p' }, config }, { file: '/p' }],
    [
      'ours before a file of restic',
      { env: { ...OURS, RESTIC_PASSWORD_FILE: '/p' }, config },
      { env: 'RESPALDO_PASSWORD' },
    ],
    [
      'a command before the bare word',
      { env: { ...RESTIC, RESTIC_PASSWORD_COMMAND: 'c' }, config },
      { command: ['c'], folder: WORK },
    ],
    ['that of the named repository', { flags: { repo: 'main' }, config }, { env: 'MAIN' }],
    ['that of the same address', { flags: { repo: '/srv/main' }, config }, { env: 'MAIN' }],
    ['never that of another repository', { flags: { repo: '/elsewhere' }, config }, undefined],
    ['nobody’s where the repository has none', { config, plan }, undefined],
  ])('is %s', (_title, question, password) => {
    expect(choose(question).password).toEqual(password);
  });

  it('is not chosen where two contradict each other', () => {
    expect(() => choose({ flags: { repo: 'a', passwordFile: 'f', passwordCommand: 'c' } })).toThrow('contradict');
    const env = { RESPALDO_PASSWORD_FILE: 'f', RESPALDO_PASSWORD_COMMAND: 'c' };
    expect(() => choose({ flags: { repo: 'a' }, env })).toThrow('contradict');
  });
});

describe('access', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'respaldo-access-'));
    await writeFile(path.join(folder, 'repo'), ' /srv/main\n');
    await writeFile(path.join(folder, 'empty'), '\n');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const read = secretReader({ MAIN: 'secret' });

  it('reads what the choice refers to', async () => {
    expect(await resolveAccess(choose({ config }), read, undefined, signal)).toEqual({
      name: 'main',
      url: '/srv/main',
      password: 'secret',
      passwordFrom: 'the environment variable MAIN',
    });
    const location = { file: path.join(folder, 'repo') };
    expect((await resolveAccess({ location }, read, async () => 'typed', signal)).url).toBe('/srv/main');
  });

  it("reads the keys of the repository's store, and takes none from elsewhere", async () => {
    await writeFile(path.join(folder, 'key'), 's3cr3t\n');
    const credentials = { accessKeyId: { env: 'MAIN' }, secretAccessKey: { file: path.join(folder, 'key') } };
    const main = { name: 'main', url: 's3:host/bucket', password: { env: 'MAIN' }, credentials };
    const withKeys: Config = { ...config, repositories: new Map([['main', main]]) };
    for (const flags of [{}, { repo: 'main' }, { repo: main.url }]) {
      const access = await resolveAccess(choose({ flags, config: withKeys }), read, undefined, signal);
      expect(access.credentials).toEqual({ accessKeyId: 'secret', secretAccessKey: 's3cr3t' });
    }
    const elsewhere = choose({ flags: { repo: 's3:other/bucket' }, config: withKeys });
    expect(elsewhere.credentials).toBeUndefined();
  });

  it('asks for the password where somebody sits there', async () => {
    const questions: string[] = [];
    const ask = async (question: string) => (questions.push(question), 'typed');
    const access = await resolveAccess({ location: { url: 'x' } }, read, ask, signal);
    expect(access).toEqual({ url: 'x', password: 'typed', passwordFrom: 'the terminal' });
    expect(questions).toEqual(['password of the repository x']);
  });

  it('says how to give a password, and refuses an empty one', async () => {
    const choice = { location: { url: 'x' } };
    await expect(resolveAccess(choice, read, undefined, signal)).rejects.toThrow('no password for the repository x');
    await expect(resolveAccess(choice, read, async () => '', signal)).rejects.toThrow('the password is empty');
  });

  it('says which repository was probably meant where a name was mistyped', async () => {
    const choice = choose({ flags: { repo: 'mian' }, config });
    await expect(resolveAccess(choice, read, undefined, signal)).rejects.toMatchObject({
      hint: 'There is no repository mian in respaldo.yaml either, did you mean main?',
    });
  });

  it('names the file that should hold the address', async () => {
    for (const [name, reason] of [
      ['none', "cannot read the repository's address"],
      ['empty', 'is empty'],
    ] as const) {
      const location = { file: path.join(folder, name) };
      await expect(resolveAccess({ location }, read, undefined, signal)).rejects.toThrow(reason);
    }
  });
});

it('suggests the name that was probably meant', () => {
  expect(repositoryHint('mian', config)).toBe(
    'There is no repository mian in respaldo.yaml either, did you mean main?',
  );
  expect(repositoryHint('/srv/backups', config)).toBeUndefined();
  expect(repositoryHint('mian', undefined)).toBeUndefined();
});
