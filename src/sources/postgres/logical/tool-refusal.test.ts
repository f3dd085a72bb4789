import { expect, it } from 'vitest';
import { RespaldoError } from '../../../errors.ts';
import { explainRestore, explainTool } from './tool-refusal.ts';

/** What becomes of what pg_dump said. */
function explained(said: string): { readonly message: string; readonly hint: string | undefined } {
  const error = explainTool(
    new RespaldoError('command-failed', `pg_dump failed:\n${said}`),
    'PostgreSQL at db',
    'shop',
  );
  if (!(error instanceof RespaldoError)) throw new Error('not one of ours');
  return { message: error.message, hint: error.hint };
}

it.each([
  ['pg_dump: error: query failed: ERROR:  permission denied for table orders', /^The role may not read all: /],
  ['psql: error: FATAL:  role "ana" does not exist', /^Check the role’s name, and let it in: [^]*`host all /],
  ['psql: error: FATAL:  database "shpo" does not exist', /^Check the name: /],
  ['psql: FATAL:  terminating connection due to unexpected postmaster exit', /^The server was shut down .*try again/],
  ['psql: WARNING:  terminating connection because of crash of another server process', /^The server was shut down/],
])('gives advice for dumps, and none for physical backups: %s', (said, advice) => {
  const { hint } = explained(said);
  expect(hint).toMatch(advice);
  expect(hint).not.toMatch(/replication|physical/i);
});

it.each([
  ['psql: ERROR:  must be member of role "ana"', /^The role may not make all that is restored: /],
  ['psql: ERROR:  role "ana" does not exist', /^Make the role there before/],
  ['psql: ERROR:  database "shpo" does not exist', /^Check the name: /],
])('gives other advice for restores: %s', (said, advice) => {
  const error = explainRestore(explainTool(new RespaldoError('command-failed', said), 'PostgreSQL at db', 'shop'));
  expect(error).toMatchObject({ hint: expect.stringMatching(advice) as string });
});

it('tells what was said in one line', () => {
  const { message } = explained('psql: error: connection to server failed: Connection refused\n\tIs it running?');
  expect(message).toBe('cannot reach PostgreSQL at db: connection to server failed: Connection refused Is it running?');
});
