import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Workplace } from '../fixtures/cli.ts';

const VERBS =
  'init backup restore snapshots ls find diff stats list cat dump runs check copy tag forget prune unlock detect key config completion version'.split(
    ' ',
  );

describe('The help', () => {
  let place: Workplace;
  beforeAll(async () => (place = await Workplace.make()));
  afterAll(() => place[Symbol.asyncDispose]());

  it('lists every verb with one line', async () => {
    const help = await place.ok('--help');
    for (const verb of VERBS) expect(help).toMatch(new RegExp(`^ {2}${verb} +[A-Z]`, 'm'));
  });

  it.each([
    ...VERBS,
    'key add',
    'key list',
    'key remove',
    'key passwd',
    'config init',
    'config validate',
    'config schema',
  ])('of %s shows options, examples and exit codes', async (verb) => {
    const help = await place.ok(...verb.split(' '), '--help');
    expect(help).toContain(`Usage: respaldo ${verb}`);
    expect(help).toMatch(/^Options:\n/m);
    expect(help).toMatch(/^Global Options:\n/m);
    expect(help).toMatch(/^Examples:\n( {2}# .*\n)? {2}.*respaldo /m);
    expect(help).toMatch(/^Exit codes:\n {2}0 {4}done\n/m);
    expect(await place.ok('help', ...verb.split(' '))).toBe(help);
  });

  it('is shown on standard error, with exit 2, where no verb is given', async () => {
    const { code, stdout, stderr } = await place.respaldo();
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('First steps:');
  });

  it('suggests the verb that was meant', async () => {
    const { code, stderr } = await place.respaldo('snapshot');
    expect(code).toBe(2);
    expect(stderr).toBe("respaldo: unknown command 'snapshot'\nDid you mean snapshots?\n");
  });

  it.each([
    [['ls'], "missing required argument 'snapshot'"],
    [['restore', 'latest'], 'it is not said where to restore to'],
    [['backup', '--type', 'some', '.'], "option '--type <type>' argument 'some' is invalid"],
    [['snapshots', '--latest', '0'], 'It must be a whole number above 0.'],
    [['backup', '--time', 'yesterday', '.'], 'Write it as'],
    [['prune', '--max-unused', 'half'], 'Write it as 5% (below 100%), as a size such as 500M, as 0 or unlimited.'],
    [['help', 'snapshot'], "unknown command 'snapshot'"],
  ])('of a wrong command line %j is a sentence and exit 2', async (argv, sentence) => {
    const { code, stdout, stderr } = await place.respaldo(...argv);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^respaldo: /);
    expect(stderr).toContain(sentence);
    expect(stderr).toMatch(/\nSee `respaldo.* --help`\.\n$/);
  });

  it('of a wrong command line is a message under --json', async () => {
    const { code, stderr } = await place.respaldo('ls', '--json');
    expect(code).toBe(2);
    expect(JSON.parse(stderr)).toMatchObject({ message_type: 'exit_error', code: 2 });
  });
});
