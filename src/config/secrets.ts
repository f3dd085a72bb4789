import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import type { SecretReference } from '../domain/plan.ts';
import { errnoOf, RespaldoError } from '../errors.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the secret that a reference points to. Called at the moment of use; what it answers is never logged. */
export type ReadSecret = (reference: SecretReference, signal: AbortSignal) => Promise<string>;

/** No password is longer; a device or a log file given by mistake is. Bytes. */
const MAX_SECRET = 64 * 1024;

/**
 * A reader of secrets. Files and outputs lose the white space around them, as restic's do, so that both programs get
 * the same password from the same place.
 *
 * @throws RespaldoError `config` where there is no secret, `command-failed`, `tool-missing`, `cancelled`.
 */
export function secretReader(env: Environment): ReadSecret {
  return async (reference, signal) => {
    const secret =
      'env' in reference
        ? env[reference.env]
        : 'file' in reference
          ? await readSecretFile(reference.file)
          : await runSecretCommand(reference, env, signal);
    if (secret !== undefined && secret !== '') return secret;
    throw new RespaldoError(
      'config',
      `${describeSecret(reference)} ${secret === undefined ? 'is not set' : 'is empty'}`,
      {
        hint: 'env' in reference ? `Set it: export ${reference.env}=…` : 'It must hold the password.',
      },
    );
  };
}

/** Where a secret comes from, without the secret: a command shows its program alone. */
export function describeSecret(reference: SecretReference): string {
  if ('env' in reference) return `the environment variable ${reference.env}`;
  if ('file' in reference) return `the file ${reference.file}`;
  return `the command ${reference.command[0]}`;
}

async function readSecretFile(path: string): Promise<string> {
  try {
    await using file = await open(path, 'r');
    const buffer = new Uint8Array(MAX_SECRET + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length);
      length += bytesRead;
      if (bytesRead === 0 || length > MAX_SECRET) break;
    }
    return secretText(buffer.subarray(0, length), `the file ${path}`);
  } catch (error) {
    if (error instanceof RespaldoError) throw error;
    throw new RespaldoError('config', `cannot read the password file ${path}: ${reasonOf(error)}`, {
      hint: 'It must exist, be readable by you, and hold the password alone.',
      cause: error,
    });
  }
}

/** The whole environment is passed on: password stores want HOME, GPG_TTY, agents' sockets. */
async function runSecretCommand(
  { command: [program, ...args], folder }: Extract<SecretReference, { command: unknown }>,
  env: Environment,
  signal: AbortSignal,
): Promise<string> {
  signal.throwIfAborted();
  const name = `the command ${program}`;
  const child = spawn(program, args, { cwd: folder, env: { ...env }, stdio: ['ignore', 'pipe', 'inherit'], signal });
  const ended = new Promise<{ code: number | null; killer: NodeJS.Signals | null }>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, killer) => resolve({ code, killer }));
  });
  const output: Buffer[] = [];
  let length = 0;
  child.stdout.on('data', (piece: Buffer) => {
    length += piece.length;
    if (length > MAX_SECRET) child.kill();
    else output.push(piece);
  });
  try {
    const { code, killer } = await ended;
    if (length > MAX_SECRET) throw tooLong(name);
    if (code !== 0) {
      const how = killer === null ? `exit code ${String(code)}` : `signal ${killer}`;
      throw new RespaldoError('command-failed', `${name}, which should print the password, failed: ${how}`, {
        hint: 'Its own messages are above. Run it by hand to see what it wants.',
      });
    }
  } catch (error) {
    throw asCommandError(error, name);
  }
  return secretText(Buffer.concat(output), `the output of ${name}`);
}

function asCommandError(error: unknown, name: string): unknown {
  if (error instanceof RespaldoError || (error instanceof Error && error.name === 'AbortError')) return error;
  return new RespaldoError('tool-missing', `cannot run ${name}, which should print the password: ${reasonOf(error)}`, {
    hint: 'The first word is the program, found through PATH; no shell is involved.',
    cause: error,
  });
}

/** UTF-8, or UTF-16 where a byte order mark says so, as restic reads it. */
function secretText(bytes: Uint8Array, name: string): string {
  if (bytes.length > MAX_SECRET) throw tooLong(name);
  try {
    return new TextDecoder(encodingOf(bytes), { fatal: true }).decode(bytes).trim();
  } catch {
    throw new RespaldoError('config', `${name} is not UTF-8 text`, { hint: 'It must hold the password alone.' });
  }
}

function encodingOf(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}

function tooLong(name: string): RespaldoError {
  return new RespaldoError('config', `${name} is longer than a password can be (${MAX_SECRET} bytes)`, {
    hint: 'It must hold the password alone.',
  });
}

function reasonOf(error: unknown): string {
  switch (errnoOf(error)) {
    case 'ENOENT':
      return 'there is no such file';
    case 'EACCES':
      return 'permission denied';
    case 'EISDIR':
      return 'it is a folder';
    case undefined:
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
