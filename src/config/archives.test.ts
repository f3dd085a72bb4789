import { describe, expect, it } from 'vitest';
import { parseConfig } from './parse.ts';
import { formatProblem } from './problem.ts';

const anyAddress = { source: () => Promise.resolve(undefined), store: () => Promise.resolve(undefined) };

async function parsed(text: string) {
  return parseConfig(text, '/etc/shop/respaldo.yaml', anyAddress);
}

async function problemsOf(text: string): Promise<readonly string[]> {
  const { problems = [] } = await parsed(text);
  return problems.map((problem) => formatProblem('respaldo.yaml', problem));
}

const WHOLE = `
repositories:
  main: { url: ./backups }
archives:
  offsite:
    url: s3:https://host/bucket/archives
    credentials: { access-key-id: { env: ID }, secret-access-key: { env: KEY } }
    name: "{plan}-{database}-{time}.sql.gz.gpg"
    level: 9
    encryption: team
    temp: ./temp
  here: { url: ./archives, compression: none }
encryptions:
  team: { gpg: { recipients: [backups@example.com], home: ./keyring } }
  vault: { age: { passphrase: { file: secret } } }
plans:
  shop: { source: postgresql://u@db/shop?method=logical, archives: [offsite, here, here] }
  both: { source: ./files, repository: main, archives: here }
  plain: { source: ./files }
`;

describe('archives of a configuration', () => {
  it('have folders made absolute, and their encryption with them', async () => {
    const { config, problems } = await parsed(WHOLE);
    expect(problems).toBeUndefined();
    expect(config?.archives.get('offsite')).toEqual({
      name: 'offsite',
      url: 's3:https://host/bucket/archives',
      credentials: { accessKeyId: { env: 'ID' }, secretAccessKey: { env: 'KEY' } },
      template: '{plan}-{database}-{time}.sql.gz.gpg',
      compression: { name: 'gzip', level: 9 },
      encryption: { name: 'team', tool: 'gpg', recipients: ['backups@example.com'], home: '/etc/shop/keyring' },
      temp: '/etc/shop/temp',
    });
    expect(config?.archives.get('here')).toEqual({
      name: 'here',
      url: '/etc/shop/archives',
      template: '{plan}/{database}-{time}',
      compression: { name: 'none' },
    });
  });

  it('are all that a plan goes to, unless it names a repository as well', async () => {
    const { config } = await parsed(WHOLE);
    expect(config?.plans.get('shop')).toMatchObject({ archives: ['offsite', 'here'] });
    expect(config?.plans.get('shop')?.repository).toBeUndefined();
    expect(config?.plans.get('both')).toMatchObject({ archives: ['here'], repository: 'main' });
    expect(config?.plans.get('plain')).toMatchObject({ repository: 'main' });
    expect(config?.plans.get('plain')?.archives).toBeUndefined();
  });

  it.each([
    ['offsite, here, here', 'offsit', 'there is no archive offsit, did you mean offsite?'],
    ['encryption: team', 'encryption: teem', 'there is no encryption teem, did you mean team?'],
    ['level: 9', 'level: 22', 'must be from 1 to 9 for gzip'],
    ['compression: none', 'compression: none, level: 1', 'there is no level without a compression'],
    ['compression: none', 'compression: gzp', 'must be one of none, gzip, bzip2, zstd, xz, did you mean gzip?'],
    ['{plan}-{database}-{time}.sql.gz.gpg', '{plan}-{database}.sql.gz.gpg', 'lacks {time}'],
    [
      '{plan}-{database}-{time}.sql.gz.gpg',
      '{plan}-{database}-{time}.sql.gz',
      'ends in .sql.gz, but the files of this archive end in',
    ],
    ['recipients: [backups@example.com], home', 'home', 'exactly one of recipients and passphrase'],
    ['{ age: { passphrase: { file: secret } } }', '{}', 'exactly one of gpg and age'],
    ['passphrase: { file: secret }', 'passphrase: hunter2', 'a secret is never written here'],
    ['passphrase: { file: secret }', 'recipient: [a]', 'unknown key, did you mean recipients?'],
    ['  here:', '  he.re:', 'a name holds letters'],
  ])('with %s as %s: %s', async (right, wrong, complaint) => {
    expect((await problemsOf(WHOLE.replace(right, wrong))).join('\n')).toContain(complaint);
  });

  it('need no repository', async () => {
    expect(await problemsOf('archives: { here: { url: ./a } }\nplans: { p: { source: ./f, archives: here } }')).toEqual(
      [],
    );
  });
});
