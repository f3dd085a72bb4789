import { execFile } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);
const env = { ...process.env, PATH: [join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter) };

describe('npm run demo', () => {
  it('proves the main job, in quiet lines when nobody watches, and prints commands that work', async () => {
    const { stdout, stderr } = await run('npm', ['run', '--silent', 'demo'], { cwd: root, env });
    expect(stderr).toBe('');
    expect(stdout).not.toMatch(/[\r\x1b]/);
    expect(stdout).toMatch(/DESTROY/);
    expect(stdout).toMatch(/PROVEN: what came back is what was lost/);

    const commands = stdout.split('\n').filter((line) => /^ {2}(export|npx respaldo|restic) /.test(line));
    expect(commands.filter((line) => line.includes('npx respaldo')).length).toBeGreaterThanOrEqual(4);
    expect(commands.filter((line) => line.startsWith('  restic')).length).toBeGreaterThanOrEqual(3);
    await run('bash', ['-c', ['set -eu', ...commands].join('\n')], { cwd: root, env });
  });
});
