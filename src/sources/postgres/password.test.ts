import { describe, expect, it } from 'vitest';
import { parseAddress } from './address.ts';
import { matchPassword } from './password.ts';

const over = (address: string) => parseAddress(address, { env: {}, host: () => 'localhost', user: () => 'me' });
const db = over('postgresql://ana@db:5433/?method=physical');

describe('a password file', () => {
  it.each([
    ['db:5433:replication:ana:secret', 'secret'],
    ['*:*:*:*:secret', 'secret'],
    ['# a comment\nother:*:*:*:no\ndb:*:*:ana:yes\n*:*:*:*:late', 'yes'],
    ['db:5433:*:ana:with\\:colon\\\\', 'with:colon\\'],
    ['db:5433:*:ana:windows\r\n', 'windows'],
    ['db:5433:shop:ana:of another database', undefined],
    ['db:5433:*:eva:of another user', undefined],
    ['db:5433:*:ana', undefined],
    ['', undefined],
  ])('%j gives %j', (file, password) => {
    expect(matchPassword(file, db)).toBe(password);
  });

  it('knows a socket’s server as localhost too', () => {
    const socket = over('postgresql://ana@/?host=/run/postgresql&method=physical');
    expect(matchPassword('localhost:*:*:*:secret', socket)).toBe('secret');
  });
});
