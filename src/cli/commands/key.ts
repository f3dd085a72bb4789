import path from 'node:path';
import type { Command } from 'commander';
import { RespaldoError } from '../../errors.ts';
import { describe, REPOSITORY_EXITS } from '../help.ts';
import { identity } from '../identity.ts';
import type { Invocation } from '../invocation.ts';
import { quoted } from '../printable.ts';
import { askNewPassword, canAsk } from '../prompt.ts';
import { withRepository } from '../session.ts';
import { renderTable } from '../table.ts';
import { formatTime } from '../units.ts';
import { shortId } from '../views/snapshot.ts';

interface NewKeyOptions {
  readonly newPasswordFile?: string;
  readonly host?: string;
  readonly user?: string;
}

/** Each key opens the repository with another password; all of them are equal. */
export function define(command: Command, invocation: Invocation): void {
  describe(command, {
    about: 'Each key opens the repository with a password of its own; all keys are equal.',
    examples: [
      ['respaldo key list', 'which keys there are, and which one you use'],
      ['respaldo key add', 'another password, beside the present one'],
      ['respaldo key passwd', 'change the password'],
      ['respaldo key remove 1a2b3c4d', 'a password that opens nothing any more'],
    ],
    exits: [...REPOSITORY_EXITS],
  });
  defineList(command, invocation);
  defineAdd(command, invocation);
  defineRemove(command, invocation);
  definePasswd(command, invocation);
}

function defineList(command: Command, invocation: Invocation): void {
  const { output, signal } = invocation;
  describe(command.command('list').description('List the keys; * marks the one in use'), {
    examples: [['respaldo key list --json', 'in the shape of restic']],
    exits: [...REPOSITORY_EXITS],
  }).action(() =>
    withRepository(invocation, async (repository) => {
      const keys = (await repository.keys(signal)).map((key) => ({
        ...key,
        created: key.damaged === true ? 'damaged' : formatTime(new Date(key.created)),
      }));
      output.json(
        keys.map(({ current, id, username, hostname, created }) => ({
          current,
          id,
          userName: username,
          hostName: hostname,
          created,
        })),
      );
      const rows = keys.map((key) => [
        `${key.current ? '*' : ' '}${output.style('cyan', shortId(key.id))}`,
        quoted(key.username),
        quoted(key.hostname),
        key.created,
      ]);
      output.result(renderTable([{ title: ' ID' }, { title: 'User' }, { title: 'Host' }, { title: 'Created' }], rows));
    }),
  );
}

function defineAdd(command: Command, invocation: Invocation): void {
  const { output, signal } = invocation;
  describe(command.command('add').description('Add a key with another password'), {
    examples: [
      ['respaldo key add', 'asks for the new password'],
      ['respaldo key add --new-password-file ./second-password', 'in scripts'],
    ],
    exits: [...REPOSITORY_EXITS],
  })
    .option('--new-password-file <file>', 'file with the new password')
    .option('--host <name>', 'recorded in the key; default: this host')
    .option('--user <name>', 'recorded in the key; default: this user')
    .action((options: NewKeyOptions) =>
      withRepository(invocation, async (repository) => {
        const { username, hostname } = identity();
        const about = { username: options.user ?? username, hostname: options.host ?? hostname };
        const id = await repository.addKey(await newPassword(options, invocation), about, signal);
        output.note(`added key ${shortId(id)}`);
      }),
    );
}

function defineRemove(command: Command, invocation: Invocation): void {
  const { output, signal } = invocation;
  describe(command.command('remove').description('Remove a key: its password opens nothing any more'), {
    examples: [['respaldo key remove 1a2b3c4d', 'never the key in use']],
    exits: [...REPOSITORY_EXITS],
  })
    .argument('<id>', 'an id, or its beginning')
    .action((id: string) =>
      withRepository(invocation, async (repository) => {
        await repository.removeKey(id, signal);
        output.note(`removed key ${quoted(id)}`);
      }),
    );
}

function definePasswd(command: Command, invocation: Invocation): void {
  const { output, signal } = invocation;
  describe(command.command('passwd').description('Change the password: a new key, then the one in use goes'), {
    examples: [
      ['respaldo key passwd', 'asks for the new password'],
      ['respaldo key passwd --new-password-file ./new-password', 'in scripts'],
    ],
    exits: [...REPOSITORY_EXITS],
  })
    .option('--new-password-file <file>', 'file with the new password')
    .option('--host <name>', 'recorded in the new key; default: as in the one in use')
    .option('--user <name>', 'recorded in the new key; default: as in the one in use')
    .action((options: NewKeyOptions) =>
      withRepository(invocation, async (repository) => {
        const about = {
          ...(options.user !== undefined && { username: options.user }),
          ...(options.host !== undefined && { hostname: options.host }),
        };
        const id = await repository.changePassword(await newPassword(options, invocation), about, signal);
        output.note(`changed the password; the new key is ${shortId(id)}`);
      }),
    );
}

async function newPassword({ newPasswordFile }: NewKeyOptions, { output, signal }: Invocation): Promise<string> {
  if (newPasswordFile !== undefined) {
    const { secretReader } = await import('../../config/secrets.ts');
    return secretReader(process.env)({ file: path.resolve(newPasswordFile) }, signal);
  }
  if (canAsk(output)) return askNewPassword('the new password', signal);
  throw new RespaldoError('usage', 'there is no new password', { hint: 'Give --new-password-file FILE.' });
}
