import { execFile, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';

const CHECKOUT = join(import.meta.dirname, '..', '..');
const run = promisify(execFile);

let folder: string;
let temporary: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'respaldo-demo-test-'));
  temporary = join(folder, 'tmp');
  await mkdir(temporary);
  for (const path of [folder, temporary]) await chmod(path, 0o755); // the server may run as nobody
});

afterEach(() => rm(folder, { recursive: true, force: true }));

it('backs up, destroys, restores and proves, and leaves a repository to look into', async () => {
  const place = join(folder, 'left');
  const { code, output } = await demo(place);
  expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('PROVEN') as string });
  expect(output).toMatch(/Prove it in a throw-away server .* [1-9]\d* checks passed/);
  expect(output).toContain('100,090 pedidos');
  expect(output).not.toContain('\u001b'); // in a pipe: plain lines
  expect(await readdir(temporary)).toEqual([]);
  expect((await stat(join(place, 'password'))).mode & 0o777).toBe(0o600);

  const commands = commandsIn(output);
  expect(commands.filter((line) => line.startsWith('npx respaldo'))).toHaveLength(5);
  const script = ['set -e', ...commands].join('\n').replaceAll('npx respaldo', `${CHECKOUT}/bin/respaldo.js`);
  const env = { ...process.env, RESPALDO_STATE_DIR: join(folder, 'state'), RESTIC_CACHE_DIR: join(folder, 'cache') };
  const { stdout } = await run('bash', ['-c', script], { cwd: CHECKOUT, env, maxBuffer: 64 * 1024 * 1024 });
  expect(stdout).toContain('"systemIdentifier"');
});

it('stops at Ctrl-C and cleans up', async () => {
  const { code } = await demo(join(folder, 'left'), /Load the shop/);
  expect(code).toBe(130);
  expect(await readdir(temporary)).toEqual([]);
});

it('takes no folder that holds something', async () => {
  const { code, output } = await demo(folder);
  expect(code).toBe(1);
  expect(output).toContain('is not empty');
  expect(await readdir(folder)).toEqual(['tmp']);
});

/** @param interruptAt sends SIGINT once this has been printed. */
async function demo(place: string, interruptAt?: RegExp): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [join(CHECKOUT, 'examples/tienda/demo.ts'), place], {
    cwd: CHECKOUT,
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let interrupted = false;
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      // Once: the second one would end it on the spot.
      if (interrupted || interruptAt?.test(output) !== true) return;
      interrupted = child.kill('SIGINT');
    });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output };
}

/** What it says to try. */
function commandsIn(output: string): string[] {
  const lines = output.slice(output.indexOf('Look into it')).split('\n');
  return lines.filter((line) => line.startsWith('  ')).map((line) => line.trim());
}
