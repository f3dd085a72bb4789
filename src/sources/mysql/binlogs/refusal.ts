import { RespaldoError } from '../../../errors.ts';

/** The server's words where it has not got a file any more, or never had it. */
const GONE = /Could not find first log file name|could not find next log|1236.*purged|has purged/i;
const TORN = /binlog truncated in the middle of event|bogus data in log event|event read from binlog did not pass crc/i;
const LOST = /Lost connection|gone away|Can't connect|Unknown error reading|reading packet from server: *(?:$|;|\()/im;
const REFUSED = /Access denied|REPLICATION SLAVE/i;

/** What the client program said of the log. The context of a file that is gone says so: `gone`. */
export function explainBinlog(error: unknown, server: string): unknown {
  if (!(error instanceof RespaldoError) || error.code === 'cancelled' || error.code === 'tool-missing') return error;
  const { message } = error;
  if (GONE.test(message))
    return new RespaldoError(
      'source-missing',
      `${server}: the server has not got that part of its binary log any more`,
      {
        hint: 'It was purged, or RESET MASTER was said. The next backup begins a new chain; take a new base backup then, and keep logs on the server for longer (binlog_expire_logs_seconds).',
        context: { ...error.context, gone: true },
        cause: error,
      },
    );
  if (TORN.test(message))
    return new RespaldoError('source-damaged', `${server}: ${lastLine(message)}`, {
      hint: 'The server cannot read its own log there: see its own log and disk, then take a new base backup.',
      cause: error,
    });
  if (LOST.test(message))
    return new RespaldoError('source-lost', `${server}: the connection was lost: ${lastLine(message)}`, {
      hint: 'The server went away, or ended the connection: see its log.',
      cause: error,
    });
  if (REFUSED.test(message) && error.code !== 'source-refused')
    return new RespaldoError('source-refused', message, {
      hint: 'GRANT REPLICATION SLAVE ON *.* TO the account, and check its password.',
      cause: error,
    });
  return error;
}

function lastLine(message: string): string {
  return (message.trimEnd().split('\n').at(-1) ?? '').replace(
    /^ERROR: (?:Got error reading packet from server: )?/,
    '',
  );
}
