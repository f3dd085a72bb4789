/** Several plans of a configuration: hooks around them, their order, which of them are due, and what is told of them. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { messages, Workplace } from '../fixtures/cli.ts';
import { processesOfHost } from '../fixtures/processes.ts';

/** A repository in the configuration, folders `a`, `b` and `c`, and the plans that the test writes. */
async function workplace(plans: string): Promise<Workplace> {
  const place = await Workplace.make();
  await place.makeRepository();
  for (const name of ['a', 'b', 'c']) {
    await mkdir(place.path(name));
    await writeFile(place.path(`${name}/file`), `${name}\n`);
  }
  await writeFile(place.path('respaldo.yaml'), `plans:\n${plans.replace(/^/gm, '  ')}`, { mode: 0o600 });
  return place;
}

interface ToldPlan {
  readonly plan: string;
  readonly status: string;
  readonly snapshots?: readonly string[];
  readonly error?: { readonly code: string };
}

/** What `respaldo backup --json` tells of all plans, as `a succeeded`; it has to be all that it tells. */
function statuses(stdout: string): { readonly code: unknown; readonly plans: readonly string[] } {
  const [message, ...others] = messages(stdout);
  expect(others).toEqual([]);
  const { plans, exit_code: code } = message as { plans: ToldPlan[]; exit_code: number };
  return { code, plans: plans.map(({ plan, status }) => `${plan} ${status}`) };
}

async function runs(place: Workplace): Promise<readonly Record<string, unknown>[]> {
  return JSON.parse(await place.ok('runs', '--json')) as Record<string, unknown>[];
}

describe('Hooks', () => {
  it('surround a backup, know what came of it and no password', async () => {
    await using place = await workplace(`a:
  source: ./a
  hooks:
    before: { shell: 'env > before.txt' }
    after: { shell: 'env > after.txt', env: { WORD: { env: WORD } } }
    finally: { shell: 'echo "$RESPALDO_STATUS" > finally.txt' }
`);
    const { code, stdout } = await place.start(['backup', 'a'], { WORD: 'of mine' }).ended;
    expect(code).toBe(0);
    const id = /snapshot ([0-9a-f]{8}) saved/.exec(stdout)?.[1] ?? 'none';
    const before = await readFile(place.path('before.txt'), 'utf8');
    expect(before).toContain('RESPALDO_STATUS=running');
    expect(before).not.toMatch(/four words|WORD/);
    const after = await readFile(place.path('after.txt'), 'utf8');
    expect(after).toContain(`RESPALDO_SNAPSHOT=${id}`);
    expect(after).toContain(`RESPALDO_DESTINATIONS=${place.path('repository')}`);
    expect(after).toContain('WORD=of mine');
    expect(await readFile(place.path('finally.txt'), 'utf8')).toBe('succeeded\n');
  });

  it('that fail before a backup leave nothing behind but a failed run', async () => {
    await using place = await workplace(`a:
  source: ./a
  hooks:
    before: { command: [sh, -c, 'echo out of order >&2; exit 9'] }
    on-failure: { shell: 'echo "$RESPALDO_ERROR_CODE" > told.txt' }
`);
    const { code, stderr } = await place.respaldo('backup', 'a');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /the hook before of the plan a \(sh\) failed: sh failed with exit code 9:\n {2}out of order\n/,
    );
    expect(stderr).toContain('Nothing was captured');
    expect(await readFile(place.path('told.txt'), 'utf8')).toBe('hook-failed\n');
    expect(await place.ok('snapshots', '--json')).toBe('[]\n');
    expect(await runs(place)).toMatchObject([{ subject: 'a', outcome: { state: 'failed' } }]);
  });

  it('that fail after a backup make the run incomplete, and take nothing back', async () => {
    await using place = await workplace(
      `a: { source: ./a, hooks: { after: { command: [sh, -c, 'echo why; exit 1'] } } }`,
    );
    const { code, stdout, stderr } = await place.respaldo('backup', 'a');
    expect(code).toBe(3);
    expect(stdout).toMatch(/snapshot [0-9a-f]{8} saved/);
    expect(stderr).toContain('  it printed:\n  why\n');
    const [run] = await runs(place);
    expect(run).toMatchObject({
      outcome: { state: 'incomplete', error: expect.stringContaining('hook-failed') as string },
    });
    expect(JSON.stringify(run)).not.toContain('why');
    expect(JSON.parse(await place.ok('snapshots', '--json'))).toHaveLength(1);
  });

  it('tidy up after Ctrl-C, too', async () => {
    await using place = await workplace(`a:
  source: ./a
  hooks:
    before: { shell: 'mkfifo begun; echo > begun; sleep 1000' }
    on-failure: { shell: 'touch told.txt' }
    finally: { shell: 'echo "$RESPALDO_STATUS" > finally.txt' }
`);
    const { child, ended } = place.start(['backup', 'a']);
    await place.run('sh', '-c', 'until test -p begun; do sleep 0.05; done; cat begun');
    child.kill('SIGINT');
    expect((await ended).code).toBe(130);
    expect(await readFile(place.path('finally.txt'), 'utf8')).toBe('cancelled\n');
    await expect(readFile(place.path('told.txt'))).rejects.toThrow('ENOENT');
    expect(await runs(place)).toMatchObject([{ outcome: { state: 'cancelled' } }]);
  });

  it('are left alone in a dry run', async () => {
    await using place = await workplace(`a: { source: ./a, hooks: { before: { command: [touch, was-here] } } }`);
    expect(await place.ok('backup', 'a', '--dry-run')).toContain('the hooks of the plan are not run');
    await expect(readFile(place.path('was-here'))).rejects.toThrow('ENOENT');
  });
});

describe('Several plans', () => {
  it('run in their order, one failure hiding no other and stopping only what depends on it', async () => {
    await using place = await workplace(`report: { source: ./c, depends-on: [broken] }
broken: { source: ./nowhere }
late: { source: ./b, depends-on: [a], hooks: { before: { command: [test, -e, a-was-here] } } }
a: { source: ./a, hooks: { after: { command: [touch, a-was-here] } } }
`);
    const { code, stdout, stderr } = await place.respaldo('backup', '--json');
    expect(code).toBe(1);
    expect(statuses(stdout)).toEqual({
      code: 1,
      plans: ['report skipped', 'broken failed', 'late succeeded', 'a succeeded'],
    });
    expect(messages(stderr)).toMatchObject([
      { message_type: 'exit_error', plan: 'broken' },
      { message_type: 'exit_error', code: 1, message: '2 of 4 plans failed: report, broken' },
    ]);
    expect((await place.respaldo('backup', 'a', 'late', '--quiet')).stdout).toBe('');
    const told = await place.respaldo('backup');
    expect(told.stdout).toMatch(/^report +skipped +broken did not succeed$/m);
    expect(told.stdout).toMatch(/^a: snapshot [0-9a-f]{8} saved$/m);
    expect(told.stderr).toMatch(/^broken: respaldo: .*nowhere/m);
  });

  it('end with 3 where one is incomplete and none failed', async () => {
    await using place = await workplace(
      `a: { source: ./a, hooks: { after: { command: ['false'] } } }\nb: { source: ./b }\n`,
    );
    const { code, stdout } = await place.respaldo('backup', '--json');
    expect(code).toBe(3);
    expect(statuses(stdout)).toEqual({ code: 3, plans: ['a incomplete', 'b succeeded'] });
  });

  it('are run when they are due, and all of them when that is asked for', async () => {
    await using place = await workplace(`yearly: { source: ./a, schedule: '0 0 1 1 *' }
failing: { source: ./nowhere, schedule: '0 0 1 1 *' }
always: { source: ./b }
`);
    await place.respaldo('backup');
    const again = await place.respaldo('backup', '--json');
    expect(statuses(again.stdout).plans).toEqual(['yearly not-due', 'failing failed', 'always succeeded']);
    const all = await place.respaldo('backup', '--all', '--jobs', '1', '--json');
    expect(statuses(all.stdout).plans).toEqual(['yearly succeeded', 'failing failed', 'always succeeded']);
    // What this machine has forgotten, the repository tells.
    const elsewhere = { RESPALDO_STATE_DIR: place.path('another-state') };
    const { stdout } = await place.start(['backup', '--json'], elsewhere).ended;
    expect(statuses(stdout).plans[0]).toBe('yearly not-due');
    // One document also where only one of them is due.
    const text = await readFile(place.path('respaldo.yaml'), 'utf8');
    await writeFile(place.path('respaldo.yaml'), text.replace(/^ *failing.*\n/m, ''));
    expect(statuses(await place.ok('backup', '--json')).plans).toEqual(['yearly not-due', 'always succeeded']);
    const named = await place.respaldo('backup', 'yearly', 'always', '--json');
    expect(statuses(named.stdout).plans).toEqual(['yearly succeeded', 'always succeeded']);
  });

  it('are all ended by Ctrl-C, those that have not begun too', async () => {
    const hooks = (name: string): string =>
      `hooks: { before: { shell: 'mkfifo ${name}.begun; echo > ${name}.begun; sleep 1000' }, finally: { command: [touch, ${name}.over] } }`;
    await using place = await workplace(
      ['a', 'b', 'c'].map((name) => `${name}: { source: ./${name}, ${hooks(name)} }`).join('\n'),
    );
    const { child, ended } = place.start(['backup', '--json']);
    await place.run('sh', '-c', 'for it in a b; do until test -p $it.begun; do sleep 0.05; done; cat $it.begun; done');
    child.kill('SIGTERM');
    const { code, stdout } = await ended;
    expect(code).toBe(130);
    expect(statuses(stdout)).toEqual({ code: 130, plans: ['a cancelled', 'b cancelled', 'c not-begun'] });
    for (const name of ['a', 'b']) await readFile(place.path(`${name}.over`));
    await expect(readFile(place.path('c.over'))).rejects.toThrow('ENOENT');
  });

  it('are left to the process that is about them, until it is gone', async () => {
    await using place = await workplace(
      `a: { source: ./a, hooks: { before: { shell: 'mkfifo begun; echo > begun; exec sleep 864003' } } }\nb: { source: ./b }\n`,
    );
    const { child, ended } = place.start(['backup', 'a']);
    await place.run('sh', '-c', 'until test -p begun; do sleep 0.05; done; cat begun');
    const meanwhile = await place.respaldo('backup');
    expect(meanwhile.stdout).toMatch(/^a +not due .*another process backs it up$/m);
    expect(meanwhile.code).toBe(0);
    child.kill('SIGKILL');
    await ended;
    for (const pid of await processesOfHost('sleep 864003')) process.kill(pid);
    await place.run('rm', 'begun');
    await writeFile(place.path('respaldo.yaml'), 'plans: { a: { source: ./a } }\n');
    expect(await place.ok('backup', '-v')).toContain('a is due: it has no schedule');
  });

  it('tell once why the only one of them failed', async () => {
    await using place = await workplace('a: { source: ./nowhere }\n');
    const { code, stdout, stderr } = await place.respaldo('backup');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr.match(/nowhere/g)).toHaveLength(1);
  });

  it('are not asked for beside something else', async () => {
    await using place = await workplace('a: { source: ./a }\n');
    const { code, stderr } = await place.respaldo('backup', '--all', './b');
    expect(code).toBe(2);
    expect(stderr).toContain('--all means every plan');
  });
});

describe('A run that never came to its source', () => {
  it.each<[string, NodeJS.ProcessEnv, number]>([
    ['a repository that is not there', { RESPALDO_REPOSITORY: '/nowhere/at/all' }, 10],
    ['a wrong password', { RESPALDO_PASSWORD: 'wrong' }, 12],
    ['a password that cannot be read', { RESPALDO_PASSWORD_COMMAND: 'false', RESPALDO_PASSWORD: '' }, 1],
  ])('is remembered as a failure of its plan: %s', async (_, env, exit) => {
    await using place = await workplace('a: { source: ./a }\n');
    expect((await place.start(['backup', 'a'], env).ended).code).toBe(exit);
    const repository = env.RESPALDO_REPOSITORY ?? place.path('repository');
    expect(await runs(place)).toMatchObject([{ subject: 'a', repository, outcome: { state: 'failed' } }]);
  });
});
