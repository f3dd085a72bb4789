import { RespaldoError, type ErrorCode } from '../../errors.ts';

const ACL =
  'It needs some commands: ACL SETUSER backup on >PASSWORD +psync +sync +replconf +ping +info (sync: for the redis-cli of a container)';

interface Meaning {
  readonly begins: RegExp;
  readonly error: ErrorCode;
  readonly hint: string;
}

const MEANINGS: readonly Meaning[] = [
  {
    begins: /^NOAUTH/,
    error: 'source-refused',
    hint: 'It asks for a password: set REDISCLI_AUTH, or the plan’s `password`.',
  },
  {
    begins: /^WRONGPASS|^ERR invalid password|^ERR AUTH/,
    error: 'source-refused',
    hint: 'User or password is wrong: redis://USER@host:port, REDISCLI_AUTH or the plan’s `password`.',
  },
  { begins: /^NOPERM/, error: 'source-refused', hint: ACL },
  { begins: /^LOADING|^BUSY/, error: 'source-lost', hint: 'Try again in a moment.' },
  {
    begins: /^NOMASTERLINK|^MASTERDOWN/,
    error: 'source-lost',
    hint: 'This replica has lost its primary: back up the primary, or wait until they are connected again.',
  },
  {
    begins: /^DENIED/,
    error: 'source-refused',
    hint: 'It runs in protected mode: connect from its own machine, or set a password.',
  },
  {
    begins: /^ERR unknown command/,
    error: 'source-refused',
    hint: 'It does not let itself be replicated, as services of a provider often do not: export an RDB by its own means, and back that up as a file.',
  },
  {
    begins: /max number of clients/,
    error: 'source-refused',
    hint: 'All connections are taken: raise maxclients, or see who keeps them.',
  },
];

/** An error that a server has answered, without the dash before it. */
export function refusal(said: string, server: string): RespaldoError {
  const known = MEANINGS.find(({ begins }) => begins.test(said));
  const { error = 'source-refused', hint = 'See the server’s log.' } = known ?? {};
  return new RespaldoError(error, `${server}: ${said}`, { hint });
}
