import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isError } from '../errors.ts';
import { describeSecret, secretReader } from './secrets.ts';

const { signal } = new AbortController();
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'respaldo-secrets-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function fileHolding(content: string | Uint8Array): Promise<{ file: string }> {
  const file = path.join(folder, 'secret');
  await writeFile(file, content, { mode: 0o600 });
  return { file };
}

/** This very Node, so that the command is the same everywhere. */
function nodeCommand(script: string) {
  return { command: [process.execPath, '-e', script] as [string, ...string[]], folder };
}

describe('a variable', () => {
  it('is taken as it is, white space and all', async () => {
    expect(await secretReader({ A: ' x ' })({ env: 'A' }, signal)).toBe(' x ');
  });

  it.each([
    [undefined, 'the environment variable A is not set'],
    ['', 'the environment variable A is empty'],
  ])('that is %j is refused', async (value, message) => {
    await expect(secretReader({ A: value })({ env: 'A' }, signal)).rejects.toThrow(message);
  });
});

describe('a file', () => {
  it.each([
    ['secret\n', 'secret'],
    ['secret\r\n', 'secret'],
    ['secret', 'secret'],
    ['  two words \n\n', 'two words'],
    ['\uFEFFcontraseña\n', 'contraseña'],
    [new Uint8Array([0xff, 0xfe, 0x61, 0, 0xf1, 0]), 'añ'],
    [new Uint8Array([0xfe, 0xff, 0, 0x61, 0, 0xf1]), 'añ'],
  ])('of %j gives %j, as restic reads it', async (content, secret) => {
    expect(await secretReader({})(await fileHolding(content), signal)).toBe(secret);
  });

  it.each([
    ['', 'is empty'],
    [' \n', 'is empty'],
    [new Uint8Array([0x61, 0xff]), 'is not UTF-8 text'],
    ['x'.repeat(70_000), 'is longer than a password can be (65536 bytes)'],
  ])('of %j is refused by name', async (content, reason) => {
    const reference = await fileHolding(content);
    await expect(secretReader({})(reference, signal)).rejects.toThrow(`the file ${reference.file} ${reason}`);
  });

  it('that is missing, or a folder, or endless is refused by name', async () => {
    const file = path.join(folder, 'none');
    await expect(secretReader({})({ file }, signal)).rejects.toThrow(
      `cannot read the password file ${file}: there is no such file`,
    );
    await expect(secretReader({})({ file: folder }, signal)).rejects.toThrow('it is a folder');
    await expect(secretReader({})({ file: '/dev/zero' }, signal)).rejects.toThrow('longer than a password');
  });
});

describe('a command', () => {
  it('gives what it prints, without a shell, in the folder it belongs to, with the whole environment', async () => {
    const script = 'process.stdout.write(process.env.A + "|" + process.cwd() + "|" + process.argv[1] + "\\n")';
    const { command } = nodeCommand(script);
    const reference = { command: [...command, '$A; x'] as [string, ...string[]], folder };
    expect(await secretReader({ ...process.env, A: 'a' })(reference, signal)).toBe(`a|${folder}|$A; x`);
  });

  it('that fails gives no password, whatever it printed', async () => {
    const reading = secretReader({})(nodeCommand('console.log("geheim"); process.exit(3)'), signal);
    await expect(reading).rejects.toThrow(
      `the command ${process.execPath}, which should print the password, failed: exit code 3`,
    );
    await expect(reading).rejects.not.toThrow('geheim');
  });

  it('that is ended by a signal, or prints nothing, gives no password', async () => {
    const read = secretReader({});
    await expect(read(nodeCommand('process.kill(process.pid, "SIGTERM")'), signal)).rejects.toThrow('signal SIGTERM');
    await expect(read(nodeCommand(''), signal)).rejects.toThrow('is empty');
  });

  it('that prints without end is stopped', async () => {
    const endless = 'const more = () => process.stdout.write("x".repeat(65536), more); more()';
    await expect(secretReader({})(nodeCommand(endless), signal)).rejects.toThrow('longer than a password can be');
  });

  it('that does not exist is named, its arguments are not', async () => {
    const reading = secretReader({})({ command: ['no-such-program', 'geheim'], folder }, signal);
    await expect(reading).rejects.toThrow('cannot run the command no-such-program');
    await expect(reading).rejects.not.toThrow('geheim');
    expect(await reading.catch((error: unknown) => isError(error, 'tool-missing'))).toBe(true);
  });

  it('is stopped by an abort', async () => {
    const stop = new AbortController();
    const reading = secretReader({})(nodeCommand('setInterval(() => {}, 1000); console.log("up")'), stop.signal);
    stop.abort();
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
  });
});

it('is described without what it holds', () => {
  expect(describeSecret({ env: 'A' })).toBe('the environment variable A');
  expect(describeSecret({ file: '/a' })).toBe('the file /a');
  expect(describeSecret({ command: ['pass', 'show', 'x'], folder: '/' })).toBe('the command pass');
});
