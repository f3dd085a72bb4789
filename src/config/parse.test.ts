import fc from 'fast-check';
import { stringify } from 'yaml';
import { describe, expect, it } from 'vitest';
import { malformedPatterns } from '../domain/pattern.ts';
import { MAX_CONFIG_SIZE } from './largest.ts';
import { parseConfig } from './parse.ts';
import { formatProblem } from './problem.ts';
import type { AddressChecks } from './references.ts';

const FILE = '/etc/shop/respaldo.yaml';

/** Addresses themselves are judged by stores and sources, which have their own tests. */
const anyAddress: AddressChecks = {
  source: async (address) => (address.startsWith('nope:') ? '"nope:" is no kind of source' : undefined),
  store: async (address) => (address.startsWith('nope:') ? '"nope:" is no kind of store' : undefined),
};

async function problemsOf(text: string): Promise<readonly string[]> {
  const { problems = [] } = await parseConfig(text, FILE, anyAddress);
  return problems.map((problem) => formatProblem('respaldo.yaml', problem));
}

async function configOf(text: string) {
  const { config, problems } = await parseConfig(text, FILE, anyAddress);
  if (!config) throw new Error(problems.map((problem) => formatProblem('respaldo.yaml', problem)).join('\n'));
  return config;
}

describe('a valid file', () => {
  it('becomes plans and repositories with folders made absolute and defaults filled in', async () => {
    const config = await configOf(`
repositories:
  main:
    url: ./backups
    password: { file: secrets/password }
plans:
  shop:
    source:
      - ./files
      - address: postgresql://u@db:5432/?method=physical
        password: { command: "pass show 'the shop'" }
    tags: [nightly]
    exclude: ["*.tmp"]
    iexclude: ["*.BAK"]
    one-file-system: true
    exclude-if-present: [.nobackup, "tag:first line"]
    exclude-larger-than: 2G
    ignore-inode: true
    skip-if-unchanged: true
    read-concurrency: 8
    keep: { daily: 7, monthly: unlimited, within-daily: 1m15d, tags: [forever] }
`);
    expect(config.repositories.get('main')).toEqual({
      name: 'main',
      url: '/etc/shop/backups',
      password: { file: '/etc/shop/secrets/password' },
    });
    expect(config.defaultRepository).toBe('main');
    expect(config.plans.get('shop')).toEqual({
      name: 'shop',
      folder: '/etc/shop',
      repository: 'main',
      sources: [
        { address: './files' },
        {
          address: 'postgresql://u@db:5432/?method=physical',
          password: { command: ['pass', 'show', 'the shop'], folder: '/etc/shop' },
        },
      ],
      type: 'auto',
      tags: ['nightly'],
      selection: {
        exclude: ['*.tmp'],
        iexclude: ['*.BAK'],
        oneFileSystem: true,
        excludeCaches: false,
        excludeIfPresent: [
          { name: '.nobackup', header: '' },
          { name: 'tag', header: 'first line' },
        ],
        excludeLargerThan: 2 * 1024 ** 3,
      },
      reading: { ignoreInode: true, ignoreCtime: false, withAtime: false },
      skipIfUnchanged: true,
      readConcurrency: 8,
      acceptDamagedPages: false,
      keep: { daily: 7, monthly: Infinity, withinDaily: '1m15d', tags: ['forever'] },
    });
  });

  it.each([
    ['an empty file', ''],
    ['only comments', '# nothing yet\n'],
    ['an empty mapping', '{}'],
  ])('may be %s', async (_what, text) => {
    const config = await configOf(text);
    expect(config.plans.size).toBe(0);
    expect(config.defaultRepository).toBeUndefined();
  });

  it.each([
    ['./a', '/etc/shop/a'],
    ['a', '/etc/shop/a'],
    ['/srv/a:b', '/srv/a:b'],
    ['local:a', '/etc/shop/a'],
    ['local:a:b', '/etc/shop/a:b'],
    ['s3:https://host/bucket', 's3:https://host/bucket'],
    ['file:///srv/a', 'file:///srv/a'],
  ])('reads the repository address %s as %s', async (url, absolute) => {
    const config = await configOf(stringify({ repositories: { main: { url } } }));
    expect(config.repositories.get('main')?.url).toBe(absolute);
  });

  it('reads where the keys of a store come from', async () => {
    const config = await configOf(`
      repositories:
        main:
          url: s3:https://host/bucket
          credentials:
            access-key-id: { env: BACKUP_KEY }
            secret-access-key: { file: ./secret }
            session-token: { command: give token }`);
    expect(config.repositories.get('main')?.credentials).toEqual({
      accessKeyId: { env: 'BACKUP_KEY' },
      secretAccessKey: { file: '/etc/shop/secret' },
      sessionToken: { command: ['give', 'token'], folder: '/etc/shop' },
    });
  });

  it('takes the only repository, or the default, for plans that name none', async () => {
    const two = 'repositories: { a: { url: a }, b: { url: b } }\nplans: { p: { source: x } }\n';
    expect((await configOf(`${two}defaults: { repository: b }`)).plans.get('p')?.repository).toBe('b');
    expect((await configOf('plans: { p: { source: x } }')).plans.get('p')?.repository).toBeUndefined();
  });

  it('may share parts by anchors, aliases and merge keys', async () => {
    const config = await configOf(`
plans:
  one: &base { source: ./one, tags: [x] }
  two: { <<: *base, source: ./two }
`);
    expect(config.plans.get('two')).toMatchObject({ sources: [{ address: './two' }], tags: ['x'] });
  });
});

describe('everything that is wrong', () => {
  it('is told at once, in the order of the file, each at its place', async () => {
    const problems = await problemsOf(`repositories:
  main:
    url: ./backups
    password: geheim
plans:
  shop:
    sorce: ./files
    repository: mian
    tags: [2024, "a,b"]
    type: ful
    keep: { dayly: 3, last: x }
  db:
    source:
      - postgresql://u@h:5432/?method=physical
      - { address: "nope://x", pasword: { env: X } }
      - 7
    exclude: x
    keep:
      within: 3
x: 1
x: 2
`);
    expect(problems).toEqual([
      'respaldo.yaml:4:15 repositories.main.password: a secret is never written here: use { env: NAME }, { file: path } or { command: [program, argument] }',
      'respaldo.yaml:6:3 plans.shop.source: is missing: text or a mapping (key: value) or a list is expected here',
      'respaldo.yaml:7:5 plans.shop.sorce: unknown key, did you mean source?',
      'respaldo.yaml:8:17 plans.shop.repository: there is no repository mian, did you mean main?',
      'respaldo.yaml:9:12 plans.shop.tags.0: must be text, not a number: put it between quotes',
      'respaldo.yaml:9:18 plans.shop.tags.1: a tag holds no comma',
      'respaldo.yaml:10:11 plans.shop.type: must be one of auto, full, differential, incremental, did you mean full?',
      'respaldo.yaml:11:13 plans.shop.keep.dayly: unknown key, did you mean daily?',
      'respaldo.yaml:11:29 plans.shop.keep.last: must be a whole number or unlimited',
      'respaldo.yaml:15:20 plans.db.source.1.address: "nope:" is no kind of source',
      'respaldo.yaml:15:32 plans.db.source.1.pasword: unknown key, did you mean password?',
      'respaldo.yaml:16:9 plans.db.source.2: must be text or a mapping (key: value)',
      'respaldo.yaml:17:14 plans.db.exclude: must be a list, not text',
      'respaldo.yaml:19:15 plans.db.keep.within: must be text, not a number: put it between quotes',
      'respaldo.yaml:20:1 x: unknown key',
      'respaldo.yaml:21:1 this key is already there above: each may be given once',
    ]);
  });

  it.each([
    ['a list', '- a', 'respaldo.yaml:1:1 must be a mapping (key: value), not a list'],
    ['plain text', 'hello', 'respaldo.yaml:1:1 must be a mapping (key: value), not text'],
    ['a key without value', 'plans:\n', 'respaldo.yaml:1:7 plans: must be a mapping (key: value), not nothing'],
    ['a name with a dot', 'plans:\n  a.b: { source: x }', 'respaldo.yaml:2:3 plans."a.b": a name holds letters'],
    ['an empty name', 'plans: { "": { source: x } }', 'respaldo.yaml:1:10 plans."": a name holds letters'],
    ['a name with a slash', 'repositories:\n  a/b: { url: x }', 'respaldo.yaml:2:3 repositories.a/b: a name holds'],
    ['a missing address', 'repositories: { a: {} }', 'respaldo.yaml:1:17 repositories.a.url: is missing: text'],
    ['an empty address', 'repositories: { a: { url: "" } }', 'respaldo.yaml:1:27 repositories.a.url: must not be'],
    ['an unknown store', 'repositories: { a: { url: "nope:x" } }', 'respaldo.yaml:1:27 repositories.a.url: "nope:"'],
    ['an unknown source', 'plans: { a: { source: "nope:x" } }', 'respaldo.yaml:1:23 plans.a.source: "nope:" is no'],
    ['no source', 'plans: { a: { source: [] } }', 'respaldo.yaml:1:23 plans.a.source: must name at least one'],
    ['rules that keep nothing', 'plans: { a: { source: x, keep: {} } }', 'respaldo.yaml:1:32 plans.a.keep: must keep'],
    [
      'counts of nothing',
      'plans: { a: { source: x, keep: { last: 0, within: 0d } } }',
      'respaldo.yaml:1:32 plans.a.keep: must keep',
    ],
    ['a negative count', 'plans: { a: { source: x, keep: { last: -1 } } }', 'respaldo.yaml:1:40 plans.a.keep.last: mu'],
    [
      'a broken duration',
      'plans: { a: { source: x, keep: { within: 7 days } } }',
      'respaldo.yaml:1:42 plans.a.keep.wi',
    ],
    [
      'no default',
      'defaults: { repository: a }',
      'respaldo.yaml:1:25 defaults.repository: there is no repository a; none',
    ],
    ['two sources of a secret', secret('{ env: A, file: b }'), 'respaldo.yaml:1:40 repositories.a.password: say where'],
    ['no source of a secret', secret('{}'), 'respaldo.yaml:1:40 repositories.a.password: say where it comes from by'],
    ['a variable with a dollar', secret('{ env: $A }'), 'respaldo.yaml:1:47 repositories.a.password.env: must be the'],
    ['an open quote', secret(`{ command: 'a "b' }`), 'respaldo.yaml:1:51 repositories.a.password.command: command: t'],
    ['an empty command', secret('{ command: [] }'), 'respaldo.yaml:1:51 repositories.a.password.command: must hold'],
    ['a tab', 'plans:\n\ta: {}', 'respaldo.yaml:2:1 a tab indents this line: YAML wants spaces'],
    ['an open bracket', 'plans: [a', 'respaldo.yaml:1:10 Flow sequence'],
    ['a key that is a mapping', 'plans: { { a: b }: c }', 'respaldo.yaml:1:10 a key must be plain text'],
    ['two documents', 'plans: {}\n---\nplans: {}', 'respaldo.yaml:2:1 a second document starts here (---)'],
    ['an unknown tag', 'plans: !secret x', 'respaldo.yaml:1:8 a tag (!) that means nothing here'],
    ['an alias to nothing', 'plans: *a', 'respaldo.yaml:1:8 nothing above has this anchor (&)'],
  ])('names %s', async (_what, text, problem) => {
    const [first] = await problemsOf(text);
    expect(first?.slice(0, problem.length)).toBe(problem);
  });

  it('asks which repository is meant where there are several', async () => {
    expect(await problemsOf('repositories: { a: { url: a }, b: { url: b } }\nplans:\n  p: { source: x }\n')).toEqual([
      'respaldo.yaml:3:3 plans.p: names no repository, and there are several (a, b): add repository: a, or defaults: { repository: a }',
    ]);
  });

  it('looks on below a wrong name', async () => {
    expect(await problemsOf('plans: { "a\\nb": { sorce: x } }')).toEqual([
      'respaldo.yaml:1:10 plans."a\\nb".source: is missing: text or a mapping (key: value) or a list is expected here',
      'respaldo.yaml:1:10 plans."a\\nb": a name holds letters, digits, - and _ only, and starts with a letter or digit',
      'respaldo.yaml:1:20 plans."a\\nb".sorce: unknown key, did you mean source?',
    ]);
  });

  it('never shows a value that may be a secret', async () => {
    for (const value of [
      'geheim',
      '[geheim]',
      '{ geheim: geheim }',
      '{ env: "ge heim" }',
      '{ command: "geheim \'" }',
      '*geheim',
      '!geheim x',
    ]) {
      const told = (await problemsOf(secret(value))).join('\n');
      expect(told).not.toBe('');
      expect(told.replace('password.geheim: unknown key', '')).not.toContain('geheim');
    }
  });
});

describe('hostile files', () => {
  it('cannot multiply by aliases', async () => {
    const levels = Array.from({ length: 12 }, (_, at) => `a${at + 1}: &a${at + 1} [${`*a${at}, `.repeat(10)}]`);
    expect(await problemsOf(['a0: &a0 [x]', ...levels].join('\n'))).toEqual([
      expect.stringMatching(/^respaldo\.yaml:1:1 Excessive alias count/),
    ]);
  });

  it('cannot be nested without end', async () => {
    expect(await problemsOf('['.repeat(100_000))).toContainEqual(
      expect.stringMatching(/^respaldo\.yaml:1:\d+ is nested too deep$/),
    );
  });

  it('cannot be huge', async () => {
    expect(await problemsOf(' '.repeat(MAX_CONFIG_SIZE + 1))).toEqual([
      'respaldo.yaml:1:1 is larger than a configuration can be (262144 bytes)',
    ]);
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'cannot pass %s off as a setting',
    async (key) => {
      expect(await problemsOf(`${key}: { repository: x }`)).toEqual([`respaldo.yaml:1:1 ${key}: unknown key`]);
      const told = await problemsOf(`plans: { p: { source: x, repository: ${key} } }`);
      expect(told.join('\n')).toContain(`there is no repository ${key}`);
    },
  );

  it('cannot make the parser throw, whatever the text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string({ unit: 'binary' }), yamlText()), async (text) => {
        const { config, problems } = await parseConfig(text, FILE, anyAddress);
        expect(config === undefined).toBe((problems?.length ?? 0) > 0);
      }),
      { numRuns: 300 },
    );
  });
});

it('loads whatever the schema allows', async () => {
  const name = fc.stringMatching(/^[a-zñ0-9][a-zñ0-9_-]{0,8}$/);
  const words = fc.string({ minLength: 1, maxLength: 12 }).filter((word) => !word.startsWith('nope:'));
  const secretSetting = fc.oneof(
    fc.record({ env: fc.stringMatching(/^[A-Z_]{1,8}$/) }),
    fc.record({ file: words }),
    fc.record({ command: fc.array(words, { minLength: 1, maxLength: 3 }) }),
  );
  const one = fc.oneof(words, fc.record({ address: words, password: secretSetting }, { requiredKeys: ['address'] }));
  const keep = fc
    .record(
      {
        last: fc.oneof(fc.nat(), fc.constant('unlimited')),
        within: fc.stringMatching(/^([1-9][ymdh]){1,3}$/),
        tags: fc.array(words),
      },
      { requiredKeys: [] },
    )
    .filter((rules) => (rules.last ?? 0) !== 0 || rules.within !== undefined || (rules.tags ?? []).length > 0);
  const plan = fc.record(
    {
      source: fc.oneof(one, fc.array(one, { minLength: 1, maxLength: 3 })),
      type: fc.constantFrom('auto', 'full', 'differential', 'incremental'),
      tags: fc.array(words.filter((word) => !word.includes(','))),
      exclude: fc.array(words.filter((word) => malformedPatterns([word]).length === 0)),
      'exclude-larger-than': fc.stringMatching(/^[0-9]{1,3}[bkmgtKMGT]?$/),
      'exclude-if-present': fc.array(fc.stringMatching(/^[a-z]{1,5}(:[a-z ]{0,5})?$/)),
      'one-file-system': fc.boolean(),
      'exclude-caches': fc.boolean(),
      'accept-damaged-pages': fc.boolean(),
      keep,
    },
    { requiredKeys: ['source'] },
  );
  const file = fc.record({
    repositories: fc.dictionary(name, fc.record({ url: words, password: secretSetting }, { requiredKeys: ['url'] }), {
      maxKeys: 1,
    }),
    plans: fc.dictionary(name, plan, { maxKeys: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(file, async (content) => {
      const config = await configOf(stringify(content));
      expect([...config.plans.keys()]).toEqual(Object.keys(content.plans));
      expect([...config.repositories.keys()]).toEqual(Object.keys(content.repositories));
    }),
  );
});

function secret(value: string): string {
  return `repositories: { a: { url: x, password: ${value} } }`;
}

/** Text that is nearly YAML, which reaches further than noise does. */
function yamlText(): fc.Arbitrary<string> {
  const piece = fc.constantFrom(
    ...['plans', 'repositories', 'source', 'url', 'password', 'env', 'x', ': ', '\n', '  ', '- ', '{', '}', '[', ']'],
    ...[', ', '&a ', '*a', '<<', '"', "'", '|', '>', '# ', '!', '? ', '---\n', '\t', '1', 'null', '~', '%'],
  );
  return fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''));
}
