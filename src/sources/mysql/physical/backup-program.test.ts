import { describe, expect, it } from 'vitest';
import { RespaldoError } from '../../../errors.ts';
import { HostRuntime } from '../../../runtimes/host.ts';
import type { Toolbox } from '../toolbox.ts';
import { explained, requireCompleted, streamBackup } from './backup-program.ts';
import { TRAILER } from './xbstream.ts';

describe('mariadb-backup', () => {
  it.each(['[00] 2026-11-21 20:24:20 completed OK!', 'something before\ncompleted OK!\n'])(
    'is done where it says so last: %j',
    (said) => {
      expect(() => {
        requireCompleted(said);
      }).not.toThrow();
    },
  );

  it.each([undefined, '', 'completed OK', 'completed OK!\n[00] one more thing', 'not completed OK! yet'])(
    'is not done where it says something else last: %j',
    (said) => {
      expect(() => {
        requireCompleted(said);
      }).toThrow('did not say that it is done');
    },
  );

  it.each([
    [
      '[00] 2026-11-21 21:11:12 Was only able to copy log from 1 to 2, not 3\n[00] 2026-11-21 21:11:12 mariabackup: Try increasing the innodb_log_file_size.',
      'source-refused',
      'S: Was only able to copy log from 1 to 2, not 3; mariabackup: Try increasing the innodb_log_file_size.',
    ],
    [
      "[00] FATAL ERROR: 2026-11-21 20:29:53 Failed to connect to MariaDB server: Can't connect to local server",
      'source-lost',
      "S: Failed to connect to MariaDB server: Can't connect to local server",
    ],
    [
      "[00] 2026-11-21 20:29:53 Error: missing required privilege PROCESS on *.*\n  1.GRANT RELOAD ON *.* TO `d` IDENTIFIED BY PASSWORD '*46'",
      'source-refused',
      'S: Error: missing required privilege PROCESS on *.*',
    ],
    ['nothing that anybody knows', 'command-failed', 'S: nothing that anybody knows'],
  ])('tells what is wrong in its own words, and no hash of a password: %s', (said, code, message) => {
    const failure = new RespaldoError('command-failed', `sh failed with exit code 1:\n${said}`);
    expect(explained(failure, 'S')).toMatchObject({ code, message });
    expect(explained(new TypeError('ours'), 'S')).toBeInstanceOf(TypeError);
  });

  describe('as any program is run', () => {
    /** Run by a shell in the place of the real one, whatever its arguments are. */
    const run = (script: string): Promise<Uint8Array[]> => {
      const host = new HostRuntime();
      const tools = {
        server: 'S',
        signal: new AbortController().signal,
        login: { user: 'root', env: {} },
        address: { sslMode: 'disable', isDefaultHost: true, isDefaultPort: true },
        runtime: {
          run: (
            { argv: [shell, c = '', wrapper = '', name = ''] }: { argv: [string, ...string[]] },
            signal: AbortSignal,
          ) => host.run({ argv: [shell, c, wrapper, name, 'sh', '-c', script] }, signal),
        },
      } as unknown as Toolbox;
      const program = { name: 'sh', version: { product: 'mariadb', numbers: [10, 11, 6] }, said: '' } as const;
      return Array.fromAsync(streamBackup(tools, program, undefined));
    };

    it('gives its output byte by byte, and then what it said last', async () => {
      const output = Buffer.concat(
        await run(`printf 'a\\000\\n\\n'; echo one >&2; printf b; echo 'completed OK!' >&2`),
      );
      expect(output.toString('latin1')).toBe(`a\0\n\nb${TRAILER}one\ncompleted OK!`);
    });

    it('fails as it fails, with what it said', async () => {
      await expect(run(`printf a; echo 'FATAL ERROR: no' >&2; exit 3`)).rejects.toMatchObject({
        code: 'command-failed',
        message: expect.stringContaining('FATAL ERROR: no') as string,
        context: { code: 3 },
      });
      await expect(run('kill -KILL $$')).rejects.toMatchObject({ context: { code: 137 } });
    });
  });
});
