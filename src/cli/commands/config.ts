import path from 'node:path';
import type { Command } from 'commander';
import { RespaldoError } from '../../errors.ts';
import type { ImportOptions } from '../config-import.ts';
import { describe } from '../help.ts';
import type { Invocation } from '../invocation.ts';
import { quoted } from '../printable.ts';
import { addRuntimeOptions, runtimeScope, type RuntimeOptions } from '../runtime-options.ts';
import { count } from '../units.ts';

interface InitOptions extends RuntimeOptions {
  readonly output?: string;
  readonly stdout?: boolean;
  readonly force?: boolean;
}

export function define(command: Command, invocation: Invocation): void {
  describe(command, {
    about:
      'respaldo.yaml is looked for in this folder and upwards. It must belong to you or root, and nobody else may ' +
      'be able to change it: it names commands to run. --config FILE names one whoever owns it.',
    examples: [
      ['respaldo config init', 'a first one, with what `respaldo detect` finds'],
      ['respaldo config validate', 'every mistake with its line and column'],
      ['respaldo config schema > respaldo.schema.json', 'for completion in an editor'],
    ],
  });
  const first = describe(
    command.command('init').description('Write a first respaldo.yaml with the databases that are found'),
    {
      about:
        'One plan for each database that `respaldo detect` finds, with comments that say why. The repository is the one ' +
        'that --repo or the environment means, else ./backups; passwords are referred to, never written. Only you may ' +
        'read the file.',
      examples: [
        ['respaldo config init', 'respaldo.yaml in this folder'],
        ['respaldo config init --stdout', 'only show it'],
        ['respaldo config init --runtime docker', 'what is found in containers alone'],
        ['respaldo config init --output /etc/respaldo/respaldo.yaml', 'elsewhere'],
      ],
      exits: [130],
    },
  );
  addRuntimeOptions(first)
    .option('-o, --output <file>', 'where to write it, - to print it; default: ./respaldo.yaml')
    .option('--stdout', 'print it instead')
    .option('--force', 'replace the file that is there')
    .action((options: InitOptions) => init(options, invocation));
  describe(
    command
      .command('import')
      .description("Make a respaldo.yaml of backup.py's config.yaml")
      .argument('<file>', 'the old configuration: sources.mysqldump, sources.directories, destinations, encryptions'),
    {
      about:
        'The new one does the same: plans whose databases and folders go to archives, compressed and encrypted as before. ' +
        'Each key is told of: what it became, why it is not needed, or that you should look. Passwords and keys go to ' +
        'files in respaldo-secrets/ beside it, which only you may read. AWS_ENDPOINT_URL is heeded, as the old program did.',
      examples: [
        ['respaldo config import config.yaml', 'respaldo.yaml in this folder'],
        ['respaldo config import config.yaml --stdout', 'only show it'],
        ['respaldo config import old/config.yaml --output /etc/respaldo/respaldo.yaml', 'elsewhere'],
      ],
    },
  )
    .option('-o, --output <file>', 'where to write it, - to print it; default: ./respaldo.yaml')
    .option('--stdout', 'print it instead')
    .option('--force', 'replace the files that are there')
    .action(async (file: string, options: ImportOptions) => {
      const { importOld } = await import('../config-import.ts');
      await importOld(file, options, invocation);
    });
  describe(command.command('validate').description('Check respaldo.yaml without running anything'), {
    examples: [
      ['respaldo config validate', 'the one that would be used here'],
      ['respaldo config validate --config ./other.yaml', 'another one'],
    ],
  }).action(() => validate(invocation));
  describe(command.command('schema').description('Print the JSON Schema of respaldo.yaml'), {
    examples: [['respaldo config schema > respaldo.schema.json', 'for an editor']],
  }).action(() => schema(invocation));
}

async function init(options: InitOptions, invocation: Invocation): Promise<void> {
  const { force = false } = options;
  const stdout = options.stdout === true || options.output === '-';
  const wanted = options.output === '-' ? undefined : options.output;
  const { globals, output } = invocation;
  if (stdout && (wanted !== undefined || force))
    throw new RespaldoError('usage', '--stdout writes no file: it excludes --output and --force', {
      hint: 'Give one of them.',
    });
  const { firstConfig } = await import('../first-config.ts');
  const file = path.resolve(wanted ?? globals.config ?? 'respaldo.yaml');
  const { text, found } = await firstConfig(file, runtimeScope(options), invocation);
  if (stdout) {
    output.json({ message_type: 'config', text });
    output.result(text.trimEnd());
    return;
  }
  const { writeConfig } = await import('../../config/write.ts');
  await writeConfig(file, text, force);
  output.json({ message_type: 'config', file, plans: found });
  output.result(`${quoted(file)} is written, with ${count(found, 'plan')}`);
  output.note('Read it, then: respaldo init, and respaldo backup');
}

async function validate({ globals, output }: Invocation): Promise<void> {
  const { inspectConfig, shownPath } = await import('../../config/load.ts');
  const { formatProblem } = await import('../../config/problem.ts');
  const question = { workingDirectory: process.cwd(), ...(globals.config !== undefined && { file: globals.config }) };
  const found = await inspectConfig(question);
  if (found === undefined) {
    throw new RespaldoError('config', 'there is no respaldo.yaml in this folder or above it', {
      hint: 'Write one, or name one by --config FILE.',
    });
  }
  const { file, config, problems } = found;
  output.json({ message_type: 'config', file, valid: config !== undefined, problems });
  if (config !== undefined) {
    const { plans, repositories } = config;
    const holds = `${count(repositories.size, 'repository', 'repositories')}, ${count(plans.size, 'plan')}`;
    output.result(`${quoted(shownPath(file, question))} is valid: ${holds}`);
    return;
  }
  const lines = problems.map((problem) => formatProblem(shownPath(file, question), problem));
  throw new RespaldoError('config', lines.join('\n'), { hint: 'All keys: respaldo config schema' });
}

async function schema({ output }: Invocation): Promise<void> {
  const { configJsonSchema } = await import('../../config/schema.ts');
  const declared = configJsonSchema();
  output.json(declared);
  output.result(JSON.stringify(declared, undefined, 2));
}
