import type { Command } from 'commander';
import { describe, REPOSITORY_EXITS } from '../help.ts';
import type { Invocation } from '../invocation.ts';
import { addKeepOptions, parseCount } from '../keep-options.ts';
import { addPruneOptions } from '../prune-options.ts';
import { applyRetention, showRetention, type RetentionOptions } from '../retention-run.ts';
import { setRetention, type SetOptions } from '../retention-setting.ts';

export function define(command: Command, invocation: Invocation): void {
  describe(command, {
    about:
      'A plan of respaldo.yaml keeps snapshots by a calendar (calendar: daily, weekly, monthly, yearly, full) or by ' +
      "restic's rules (keep:). Whatever they say, the last complete and the last proven snapshot of each source stay, " +
      "and nothing goes while the plan's last backup failed or one is overdue.",
    examples: [
      ['respaldo retention show', 'what stays, what goes, and why'],
      ['respaldo retention set shop --daily 15 --monthly 36', 'change respaldo.yaml'],
      ['respaldo retention apply --prune', 'drop what goes, and free the space'],
    ],
    exits: [...REPOSITORY_EXITS],
  });
  defineShow(command.command('show').description('Show what stays, what goes, and why'), invocation);
  defineSet(command.command('set').description('Change the rules of a plan in respaldo.yaml'), invocation);
  defineApply(command.command('apply').description('Drop the snapshots that the rules do not keep'), invocation);
}

function defineShow(command: Command, invocation: Invocation): void {
  describe(command, {
    about: 'Changes nothing. How much would be freed is what no other snapshot in the repository needs.',
    examples: [
      ['respaldo retention show', 'every plan'],
      ['respaldo retention show shop --json', 'one of them, for a program'],
    ],
    exits: [...REPOSITORY_EXITS],
  });
  addJudgeOptions(command).action((plans: string[], options: RetentionOptions) =>
    showRetention(plans, options, invocation),
  );
}

function defineApply(command: Command, invocation: Invocation): void {
  describe(command, {
    about:
      'Shows the same as show and, after a yes, drops what goes. Where nobody can be asked, in a pipe, under --json or ' +
      '--quiet, it takes --yes. Dropping frees no space: --prune, or prune, does.',
    examples: [
      ['respaldo retention apply --dry-run', 'what would go?'],
      ['respaldo retention apply shop --yes --prune', 'one plan, unattended, and free the space'],
    ],
    exits: [...REPOSITORY_EXITS],
  });
  addJudgeOptions(command)
    .option('-n, --dry-run', 'show what would go, change nothing')
    .option('--prune', 'free the space too, if something was dropped')
    .option('-y, --yes', 'ask nothing');
  addPruneOptions(command).action((plans: string[], options: RetentionOptions) =>
    options.dryRun === true ? showRetention(plans, options, invocation) : applyRetention(plans, options, invocation),
  );
}

function addJudgeOptions(command: Command): Command {
  return command
    .argument('[plan...]', 'plans of respaldo.yaml; none: all of them')
    .option('-H, --host <name>', 'of backups that recorded this host; default: this one (RESPALDO_HOST)')
    .option('--even-if-failing', 'although backups fail or are overdue');
}

function defineSet(command: Command, invocation: Invocation): void {
  describe(command, {
    about:
      'Only the rules that are given change; the rest of the file, its comments too, stays. A plan without a calendar ' +
      'gets a whole one: 7 daily (Monday to Saturday), 4 weekly (Sunday), 12 monthly (the first), 0 yearly (1 January) ' +
      'and 3 full ones. The file is valid afterwards, or unchanged.',
    examples: [
      ['respaldo retention set --daily 10', 'the only plan'],
      ['respaldo retention set shop --weekly 12 --full 6', 'one of several'],
      ['respaldo retention set shop --keep-within 30d --replace', "restic's rules instead of a calendar"],
    ],
  })
    .argument('[plan]', 'a plan of respaldo.yaml; none: the only one')
    .option('--daily <n>', 'keep n taken from Monday to Saturday (or unlimited)', parseCount)
    .option('--weekly <n>', 'keep n taken on a Sunday', parseCount)
    .option('--monthly <n>', 'keep n taken on the first of a month', parseCount)
    .option('--yearly <n>', 'keep n taken on 1 January', parseCount)
    .option('--full <n>', 'keep n full ones', parseCount);
  addKeepOptions(command)
    .option('--replace', 'in place of rules of the other kind')
    .option('-n, --dry-run', 'show what would be written, and what would stay and go then; change nothing')
    .action((plan: string | undefined, options: SetOptions) => setRetention(plan, options, invocation));
}
