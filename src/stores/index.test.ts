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
    ['s3:https://key:s3cr3t@host/bucket', 's3: stores are not part of this version'],
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
    expect(error.hint).toContain('/srv/backups');
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

  it('holds to limits', async () => {
    const store = await openStore('/srv/backups', { limits: { downloadRate: 1 } });
    expect(store.localPath?.('config')).toBeUndefined();
  });
});
