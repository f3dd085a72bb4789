import { expect, it } from 'vitest';
import { parseAddress } from './address.ts';
import { connectionArguments } from './connection-arguments.ts';
import { serverVersion } from './product.ts';

const OLD = serverVersion('10.11.6-MariaDB', '');
const NEW = serverVersion('11.8.3-MariaDB', '');
const MYSQL = serverVersion('8.4.2', '');

it.each([
  ['mysql:///', OLD, []],
  ['mysql:///?socket=/run/m.sock', OLD, ['--socket=/run/m.sock', '--protocol=socket']],
  ['mysql://db/', OLD, ['--host=db']],
  ['mysql://localhost:3306/', OLD, ['--host=localhost', '--port=3306', '--protocol=tcp']],
  ['mysql:///', NEW, ['--disable-ssl-verify-server-cert']],
  ['mysql:///?sslmode=verify&sslca=/ca.pem', NEW, ['--ssl', '--ssl-verify-server-cert', '--ssl-ca=/ca.pem']],
  ['mysql:///?sslmode=disable', NEW, ['--skip-ssl']],
  ['mysql:///', MYSQL, ['--ssl-mode=PREFERRED']],
  ['mysql:///?sslmode=verify&sslca=/ca.pem', MYSQL, ['--ssl-mode=VERIFY_IDENTITY', '--ssl-ca=/ca.pem']],
])('%s', (address, tool, expected) => {
  const [first, ...rest] = connectionArguments(parseAddress(address, true), 'me', tool);
  expect(first).toBe('--no-defaults');
  expect(rest).toEqual(['--user=me', ...expected]);
});

it('never has a password among them', () => {
  expect(connectionArguments(parseAddress('mysql://me:secret@db/', true), 'me', OLD).join(' ')).not.toContain('secret');
});
