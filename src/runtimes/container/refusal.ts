/** Why a program does not run in a container. */
import { RespaldoError } from '../../errors.ts';
import type { Exit } from '../program.ts';
import type { Command } from '../runtime.ts';
import type { Announcement } from './announcements.ts';

type Part = Extract<Announcement, { what: 'missing' }>['part'];

/** @throws RespaldoError `usage` for a variable that no shell can set. */
export function requireNames(env: Readonly<Record<string, string>>): void {
  const wrong = Object.entries(env).find(([name, value]) => !/^[A-Za-z_]\w*$/.test(name) || value.includes('\0'));
  if (wrong === undefined) return;
  throw new RespaldoError('usage', `the variable ${JSON.stringify(wrong[0])} cannot be set in a container`, {
    hint: 'A name holds letters, digits and _ only, a value no NUL byte.',
  });
}

export function missingPart(part: Part, { argv: [program], cwd = '' }: Command, place: string): RespaldoError {
  switch (part) {
    case 'program':
      return new RespaldoError('tool-missing', `there is no program "${program}" in ${place}`, {
        hint: 'Install it into the image, or choose the container that has it.',
      });
    case 'folder':
      return new RespaldoError('tool-missing', `there is no folder ${cwd} in ${place} to run "${program}" in`);
    case 'dd':
      return new RespaldoError('tool-missing', `there is no "dd" in ${place} that knows iflag=fullblock`, {
        hint: 'Install coreutils into the image. Kubernetes 1.30 and newer do without.',
      });
  }
}

/** The launcher did not get as far as to say anything. */
export function unlaunched({ argv: [program] }: Command, stderr: string, exit: Exit, place: string): RespaldoError {
  if ('error' in exit) return exit.error;
  const code = 'code' in exit ? exit.code : undefined;
  if ((code === 126 || code === 127) && /no such file|not found/i.test(stderr)) return shellMissing(place);
  const said = stderr === '' ? '' : `: ${stderr}`;
  return new RespaldoError('command-failed', `"${program}" could not be started in ${place}${said}`, {
    ...(code !== undefined && { context: { code } }),
  });
}

export function shellMissing(place: string): RespaldoError {
  return new RespaldoError('tool-missing', `there is no "sh" in ${place} to start programs with`, {
    hint: 'Use an image that has a shell.',
  });
}

/** The output has ended, and nothing shows that this was all of it. */
export function outputLost(place: string): RespaldoError {
  return new RespaldoError('source-lost', `how the program in ${place} ended is not known: its output broke off`, {
    hint: 'Was the container stopped, or the engine restarted? Try again.',
  });
}
