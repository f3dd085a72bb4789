import { homedir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';

import type { RespaldoError } from '../errors.ts';
import { openStore } from './index.ts';

describe('openStore', () => {
  const open = (url: string) => openStore(url, { workingDirectory: '/work place' });

  it.each([
    ['./folder', '/work place/folder'],
    ['folder', '/work place/folder'],
    ['../folder/', '/folder'],
    ['/srv/backups', '/srv/backups'],
    ['local:folder', '/work place/folder'],
    ['local:/srv/backups', '/srv/backups'],
    ['local:./a:b', '/work place/a:b'],
    ['./a:b', '/work place/a:b'],
    ['/srv/s3:x', '/srv/s3:x'],
    ['file:///srv/my%20backups', '/srv/my backups'],
    ['~/backups', join(homedir(), 'backups')],
    ['local:~/backups', join(homedir(), 'backups')],
    ['./~/backups', '/work place/~/backups'],
  ])('takes "%s" for %s', async (url, folder) => {
    const store = await open(url);
    expect(store.location).toBe(folder);
    expect(store.localPath?.('config')).toBe(join(folder, 'config'));
  });

  it.each([
    ['', 'empty'],
    ['a\0b', 'NUL'],
    ['local:', 'names no place'],
    ['s3:https://key:s3cr3t@host/bucket', 'holds a user or a key'],
    ['s3:key:s3cr3t@host/bucket', 'holds a user or a key'],
    ['s3:', 'names no place'],
    ['s3:host', 'names no bucket'],
    ['s3:///bucket', 'names no server'],
    ['s3:https://host:x/bucket', 'names no server'],
    ['s3:https://host/', 'names no bucket'],
    ['s3:https://host/my bucket', 'a bucket has a name'],
    ['s3:host/bucket/../x/../..', 'leads out of the bucket'],
    ['s3:host/bucket//', 'has no name'],
    ['s3:https://host/bucket?secret=s3cr3t', 'no option "secret"'],
    ['s3:https://host/bucket?bucket-lookup=host', 'one of auto, path and dns'],
    ['s3:https://host/bucket?storage-class=glacier', 'cannot be read when it is needed'],
    ['s3:https://host/bucket?encryption=des', 'one of AES256 and aws:kms'],
    ['s3:https://host/bucket?encryption=AES256&kms-key=k', 'kms-key wants encryption=aws:kms'],
    ['s3:https://host/bucket?kms-key=k', 'kms-key wants encryption=aws:kms'],
    ['s3:https://host/bucket?object-lock=legal&lock-days=1', 'one of governance and compliance'],
    ['s3:https://host/bucket?lock-days=1', 'one of governance and compliance'],
    ['s3:https://host/bucket?object-lock=governance', 'wants lock-days=DAYS'],
    ['s3:https://host/bucket?object-lock=governance&lock-days=0', 'wants lock-days=DAYS'],
    ['s3:https://host/bucket?object-lock=compliance&lock-days=99999', 'wants lock-days=DAYS'],
    ['s3:https://host/bucket?checksum=md4', 'checksum is one of'],
    ['s3:https://host/bucket?object-lock=governance&lock-days=1', 'for archives alone'],
    ['s3:https://host/bucket/100%', 'a percent sign is written %25'],
    ['s3:https://host/bucket/a#b', 'a "#" is written %23'],
    ['webdav:https://user:s3cr3t@host/folder', 'holds a password'],
    ['webdav:https://', 'names no server'],
    ['webdav:https://host/a#b', 'a "#" is written %23'],
    ['webdav:https://host/100%', 'a percent sign is written %25'],
    ['webdav:https://host/x?secret=s3cr3t', 'no option "secret"'],
    ['sftp://user:s3cr3t@host/folder', 'holds a password'],
    ['sftp:user:s3cr3t@host:folder', 'holds a password'],
    ['sftp:/srv/backups', 'names no server'],
    ['sftp:host', 'names no server'],
    ['sftp:-oProxyCommand=x:/folder', 'names no server'],
    ['sftp:host:', 'names no folder'],
    ['sftp://host', 'names no folder'],
    ['sftp:host:~/backups', 'cannot start with "~"'],
    ['sftp://host/x?password=s3cr3t', 'no option "password"'],
    ['sftp://host:99999/x', 'no address of a server'],
    ['REST:https://host/', 'rest: stores are not part of this version'],
    ['constructor:x', '"constructor:" is no kind of store'],
    ['backup:2024', '"backup:" is no kind of store'],
    ['file://elsewhere/x', 'no file address of this machine'],
  ])('refuses "%s"', async (url, message) => {
    const error = await open(url).then(
      () => expect.fail('it was opened'),
      (thrown: unknown) => thrown as RespaldoError,
    );
    expect(error.code).toBe('usage');
    expect(error.hint).toMatch(
      /\/srv\/backups|s3:host\/bucket|AWS_ACCESS_KEY_ID|webdav:https:|RESPALDO_WEBDAV_PASSWORD|Leave object-lock/,
    );
    expect(error.message).toContain(message);
    expect(inspect(error)).not.toContain('s3cr3t');
  });

  it.each([
    ['sftp:maria@host:/srv/backups', 'sftp:maria@host:/srv/backups'],
    ['sftp:host:backups/', 'sftp:host:backups'],
    ['sftp:host:/', 'sftp:host:/'],
    ['sftp:maria@corp.example@host:x', 'sftp:maria@corp.example@host:x'],
    ['sftp:[::1]:/x', 'sftp:[::1]:/x'],
    ['sftp://maria@host//srv/backups', 'sftp:maria@host:/srv/backups'],
    ['sftp://maria@host/backups', 'sftp:maria@host:backups'],
    ['SFTP://maria@[::1]:2222//my%20backups?identity=~/.ssh/key', 'sftp://maria@[::1]:2222//my backups'],
  ])('takes "%s" for the server of %s, without connecting', async (url, location) => {
    expect((await open(url)).location).toBe(location);
  });

  it.each([
    ['s3:s3.example.org/bucket/a/b/', 's3:s3.example.org/bucket/a/b'],
    ['s3:s3.example.org:9000/bucket', 's3:s3.example.org:9000/bucket'],
    ['s3://s3.example.org/bucket/a//b/./c', 's3:s3.example.org/bucket/a/b/c'],
    ['s3:https://s3.example.org/bucket/my%20backups', 's3:s3.example.org/bucket/my backups'],
    ['s3:s3.example.org/bucket/my%20backups?x', 's3:s3.example.org/bucket/my%20backups?x'],
    ['s3:http://[::1]:9000/bucket/x?region=eu-1&profile=p', 's3:http://[::1]:9000/bucket/x'],
    ['S3:HTTPS://Host/bucket//x', 's3:host/bucket//x'],
    ['s3:host/bucket/a/..', 's3:host/bucket'],
  ])('takes "%s" for the bucket of %s, as restic does, without connecting', async (url, location) => {
    expect((await open(url)).location).toBe(location);
  });

  it.each([
    ['webdav:https://maria@host/srv/my%20backups/', 'webdav:https://maria@host/srv/my%20backups'],
    ['webdav:host:8443//srv//backups', 'webdav:https://host:8443/srv/backups'],
    ['webdav://back%20up@host/x', 'webdav:https://back%20up@host/x'],
    ['WebDAV:HTTP://[::1]:8080/', 'webdav:http://[::1]:8080'],
  ])('takes "%s" for the folder of %s, without connecting', async (url, location) => {
    expect((await open(url)).location).toBe(location);
  });

  it('holds to limits', async () => {
    const store = await openStore('/srv/backups', { limits: { downloadRate: 1 } });
    expect(store.localPath?.('config')).toBeUndefined();
  });
});
