import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RespaldoError } from '../../errors.ts';
import { convert } from './convert.ts';
import { parseOldConfig } from './old-config.ts';

const FIXTURES = join(import.meta.dirname, '../../../test/fixtures/backup-py');
const DESTINATIONS = `
destinations:
  s3-main: { method: s3, S3_BUCKET: my-bucket, prefix: /backups/ }\n`;

const imported = (text: string, env: Readonly<Record<string, string>> = {}) =>
  convert({
    old: parseOldConfig(text, 'config.yaml'),
    secretsFolder: 'secrets',
    env,
    refusalOf: (argument) =>
      argument.startsWith('--where') ? `it is not given ${argument.split('=')[0] ?? ''}` : undefined,
  });
const example = (name: string, more = '') => imported(readFileSync(join(FIXTURES, `${name}.yaml`), 'utf8') + more);
const attention = ({ report }: ReturnType<typeof imported>) =>
  report.flatMap(({ verdict, key, text }) => (verdict === 'attention' ? [`${key}: ${text}`] : []));

describe('a configuration of backup.py', () => {
  it('becomes plans, archives and encryptions, with its password in a file', () => {
    const all = example('databases');
    expect(all.settings).toEqual({
      archives: {
        's3-main': {
          url: 's3:s3.amazonaws.com/my-bucket/backups/mysql',
          name: '{plan}-{database}-{time}',
          compression: 'gzip',
          encryption: 'gpg-main',
          temp: '/tmp/backups',
        },
      },
      encryptions: { 'gpg-main': { gpg: { recipients: ['backups@example.com'] } } },
      plans: {
        prod: {
          source: {
            address: 'mysql://root@localhost/app,analytics?method=logical&arg=--single-transaction&arg=--routines',
            password: { file: 'secrets/prod-password' },
          },
          archives: ['s3-main'],
        },
      },
    });
    expect([...all.secrets]).toEqual([['secrets/prod-password', 'secret']]);
    expect(attention(all)).toEqual([]);
  });

  it('has each of its keys told of, and no secret', () => {
    const { report } = example('databases');
    const keys = ['temp', 'databases', 'compress', 'encryption', 'destination', 'cleanup', 'host', 'port', 'user'];
    const told = report.map(({ key }) => key);
    for (const key of [...keys, 'password', 'extra_args']) expect(told).toContain(`sources.mysqldump.prod.${key}`);
    for (const key of ['method', 'S3_BUCKET', 'prefix']) expect(told).toContain(`destinations.s3-main.${key}`);
    expect(told).toEqual(expect.arrayContaining(['encryptions.gpg-main.method', 'encryptions.gpg-main.recipient']));
    expect(new Set(told).size).toBe(told.length);
    expect(report.map(({ text }) => text).join()).not.toMatch(/\bsecret\b(?!s)/);
  });

  it('dumps all databases but those that it left out', () => {
    const { settings } = example('all-databases', DESTINATIONS);
    expect(settings.plans).toEqual({ prod: { source: 'mysql:///?method=logical', archives: ['s3-main'] } });
    const own = imported(`sources: { mysqldump: { prod: { temp: /t, all_databases_except_system: true, host: db,
      port: 3307, exclude_databases: [mysql, information_schema, performance_schema, sys, scratch] } } }`);
    expect(own.settings.plans['prod']?.source).toBe('mysql://db:3307/?method=logical&exclude=scratch');
  });

  it('archives directories, whole or what has changed', () => {
    expect(example('directory', DESTINATIONS).settings).toMatchObject({
      archives: { 's3-main': { url: 's3:s3.amazonaws.com/my-bucket/backups', compression: 'gzip' } },
      plans: { home: { source: '/home/pablo/data', archives: ['s3-main'] } },
    });
    const incremental = example('incremental', DESTINATIONS);
    expect(incremental.settings.archives['s3-main']?.compression).toBe('bzip2');
    expect(incremental.settings.plans['home']).toMatchObject({ 'incremental-archives': true, type: 'incremental' });
    expect(attention(incremental)).toEqual([]);
  });

  it('keeps files where nothing sent them, and also there where nothing removed them', () => {
    const { settings } = imported(`
sources:
  directories:
    a: { path: /a, temp: /tmp/a }
    b: { path: /b, temp: /tmp/a, destination: s3-main, cleanup: false }
    c: { path: /c, temp: /tmp/c, destination: s3-main }
${DESTINATIONS}`);
    expect(settings.plans).toEqual({
      a: { source: '/a', archives: ['local'] },
      b: { source: '/b', archives: ['s3-main', 'local'] },
      c: { source: '/c', archives: ['s3-main-2'] },
    });
    expect(settings.archives['local']?.url).toBe('/tmp/a');
    expect(settings.archives['s3-main']?.temp).toBeUndefined();
    expect(settings.archives['s3-main-2']?.temp).toBe('/tmp/c');
  });

  it('has keys and passwords kept apart, also one among the extra arguments', () => {
    const all = imported(`
sources: { mysqldump: { shop: { temp: /t, databases: [a b], destination: s3, extra_args: ['-pwonder', '--where=x=1'] } } }
destinations:
  s3: { method: s3, S3_BUCKET: bucket, AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: key, AWS_SESSION_TOKEN: token }\n`);
    expect(all.settings.archives['s3']?.credentials).toEqual({
      'access-key-id': { file: 'secrets/s3-access-key-id' },
      'secret-access-key': { file: 'secrets/s3-secret-access-key' },
      'session-token': { file: 'secrets/s3-session-token' },
    });
    expect([...all.secrets.values()].toSorted()).toEqual(['id', 'key', 'token', 'wonder']);
    expect(JSON.stringify(all.settings)).not.toMatch(/wonder|token"\s*:\s*"|x=1/);
    expect(attention(all)).toEqual(['sources.mysqldump.shop.extra_args: it is not given --where: it is left out']);
  });

  it('asks the server that AWS_ENDPOINT_URL names, as boto3 does', () => {
    const text = `sources: { directories: { a: { path: /a, temp: /t, destination: s3-main } } }\n${DESTINATIONS}`;
    const url = (env: Readonly<Record<string, string>>) => imported(text, env).settings.archives['s3-main']?.url;
    expect(url({ AWS_ENDPOINT_URL: 'http://localhost:9000/' })).toBe('s3:http://localhost:9000/my-bucket/backups');
    expect(url({ AWS_ENDPOINT_URL: 'http://a', AWS_ENDPOINT_URL_S3: 'https://b' })).toBe(
      's3:https://b/my-bucket/backups',
    );
  });

  it('is not believed blindly: what is unknown, unused, relative or dangling is told', () => {
    const all = imported(`
sources:
  mysqldump: { none: { temp: /t } }
  directories: { 'web site': { path: data, temp: /t, destination: gone, compres: gzip } }
  postgres: {}
encryptions: { unused: { method: gpg, recipient: a } }\n`);
    expect(attention(all)).toEqual([
      expect.stringContaining('sources.postgres: is not known'),
      expect.stringContaining('sources.mysqldump.none.databases: is missing'),
      expect.stringContaining('sources.directories.web site.compres: is not known'),
      expect.stringContaining('sources.directories.web site.path: is relative'),
      expect.stringContaining('sources.directories.web site.destination: there is no destination gone'),
      expect.stringContaining('sources.directories.web site.name: is plans.web-site now'),
    ]);
    expect(all.settings.encryptions).toBeUndefined();
    expect(Object.keys(all.settings.plans)).toEqual(['web-site']);
  });

  it.each([
    [
      'encryptions: { gpg-main: { method: gpg, recipient: a } }\n' +
        'sources: { directories: { a: { path: /a, temp: /t, encryption: gpg-mian } } }',
      'config.yaml:2:64 sources.directories.a.encryption: correct it, or take the key out: there is no encryption gpg-mian, did you mean gpg-main?',
    ],
    [
      'x: &x { temp: /t, encryption: toString }\nsources: { directories: { a: { <<: *x, path: /a } } }',
      'config.yaml:2:27 sources.directories.a.encryption: correct it',
    ],
    ['sources: { directories: { a: { temp: /t, path: /a, temp: /u } } }', 'config.yaml:1:52 this key is already there'],
    ['sources:\n\tdirectories: {}', 'config.yaml:2:1 a tab indents this line'],
    ['sources: { directories: { a: { path: /a, temp: [] } } }', 'config.yaml:1:48 sources.directories.a.temp: must be'],
    ['sources: []', 'config.yaml:1:10 sources: must be a mapping'],
    ['[]', 'config.yaml:1:1 must be a mapping'],
    [`sources: {} #${'x'.repeat(300_000)}`, 'config.yaml:1:1 is larger than a configuration can be'],
    [
      'sources: { directories: { a: { path: /a, temp: /t, compress: zip } } }',
      'config.yaml:1:62 sources.directories.a.compress: must be',
    ],
    ['sources: { directories: { a: { path: /a } } }', 'sources.directories.a.temp'],
    ['sources: { directories: { a: { path: /a, temp: /t } } }\ndestinations: { x: { method: ftp } }', 'must be s3'],
    ['sources: {}', 'has neither sources.mysqldump nor sources.directories'],
    ['plans: {}', 'has neither'],
    ['sources: &all { directories: *all }', 'nested too deep'],
    ['sources: [', 'config.yaml:1'],
    ['', 'has neither'],
  ])('is refused where it is wrong: %s', (text, message) => {
    expect(() => imported(text)).toThrow(message);
    expect(() => imported(text)).toThrow(RespaldoError);
  });

  it.each([
    '*geheim',
    '!geheim x',
    '|geheim',
    '>geheim',
    '"geheim',
    '"\\geheim"',
    '"\\u12geheim"',
    ']geheim',
    '- geheim',
  ])('never shows a password that YAML stumbles over: %s', (password) => {
    const text = `sources:\n  mysqldump:\n    a:\n      temp: /t\n      databases: [a]\n      password: ${password}\n`;
    const refusal = (): unknown => imported(text);
    expect(refusal).toThrow(/^config\.yaml:\d+:\d+ /);
    expect(refusal).not.toThrow(/geh/);
  });

  it('keeps texts of digits as they are written, as passwords may be', () => {
    const passwords = ['0123', '1e5', '0x1F', '1.50', '12345'];
    const sources = passwords.map((it, n) => `p${String(n)}: { temp: /t, databases: [007], password: ${it} }`);
    const { secrets, settings } = imported(`sources: { mysqldump: { ${sources.join(', ')} } }`);
    expect([...secrets.values()]).toEqual(passwords);
    expect(JSON.stringify(settings.plans)).toContain('mysql:///007?');
  });

  it('has no file outside of its folder, and no address for a folder, whatever the names are', () => {
    const all = imported(`
sources:
  directories:
    ../../a: { path: 's3:b', temp: 's3:c', destination: ../../../d }
    b: { path: /b, temp: 'sftp:c', destination: constructor }
destinations:
  ../../../d: { method: s3, S3_BUCKET: bucket, AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: key }
  d: { method: s3, S3_BUCKET: bucket, AWS_ACCESS_KEY_ID: id2 }\n`);
    expect([...all.secrets.keys()]).toEqual(['secrets/d-access-key-id', 'secrets/d-secret-access-key']);
    expect(all.settings.archives).toMatchObject({ d: { temp: './s3:c' }, local: { url: './sftp:c' } });
    expect(all.settings.plans['a']?.source).toBe('./s3:b');
  });
});
