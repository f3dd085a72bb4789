import { describe, expect, it } from 'vitest';
import { isRedisAddress, parseAddress, serverName, snapshotPath } from './address.ts';

describe('The address of a Redis server', () => {
  it('is host and port, with the user and how to trust it', () => {
    expect(parseAddress('redis://')).toEqual({ host: 'localhost', port: 6379, tls: false });
    expect(parseAddress('redis://b%40ck:p%3Aw@[::1]:7000/')).toEqual({
      host: '::1',
      port: 7000,
      user: 'b@ck',
      password: 'p:w',
      tls: false,
    });
    expect(parseAddress('rediss://db?cacert=/etc/ca.pem&cert=c&key=k')).toMatchObject({
      tls: true,
      caFile: '/etc/ca.pem',
      certFile: 'c',
      keyFile: 'k',
    });
    expect(isRedisAddress('rediss://x')).toBe(true);
    expect(isRedisAddress('./redis:x')).toBe(false);
  });

  it('may be a socket', () => {
    const address = parseAddress('redis://backup@?socket=/run/redis/redis.sock');
    expect(address).toMatchObject({ socket: '/run/redis/redis.sock', user: 'backup' });
    expect(serverName(address)).toBe('Redis at /run/redis/redis.sock');
    expect(snapshotPath(address)).toBe('/redis/run/redis/redis.sock');
  });

  it('names the server without its user, and where its tools run', () => {
    const address = parseAddress('redis://user:secret@db:6380');
    expect(serverName(address)).toBe('Redis at db:6380');
    expect(snapshotPath(address, 'docker/cache')).toBe('/redis/docker/cache/db:6380');
  });

  it.each([
    'redis:x',
    'redis://h:0',
    'redis://h:70000',
    'redis://h/2',
    'redis://h?db=1',
    'redis://h?socket=/x',
    'redis://?socket=x',
    'redis://%zz@h',
  ])('is not %s', (address) => {
    expect(() => parseAddress(address)).toThrow(expect.objectContaining({ code: 'usage' }) as Error);
  });
});
