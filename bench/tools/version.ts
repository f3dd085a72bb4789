import { execFile } from 'node:child_process';

/** The first number with dots that a program prints when asked for its version; undefined if it cannot be run. */
export function versionOf(program: string, ...args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(program, args, (error, stdout) => {
      resolve(error === null ? /\d+(\.\d+)+/.exec(stdout)?.[0] : undefined);
    });
  });
}
