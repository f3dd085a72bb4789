import type { Command } from 'commander';
import { RespaldoError } from '../../errors.ts';
import { describe } from '../help.ts';
import type { Invocation } from '../invocation.ts';
import { quoted } from '../printable.ts';
import { count } from '../units.ts';

export function define(command: Command, invocation: Invocation): void {
  describe(command, {
    about:
      'respaldo.yaml is looked for in this folder and upwards. It must belong to you or root, and nobody else may ' +
      'be able to change it: it names commands to run. --config FILE names one whoever owns it.',
    examples: [
      ['respaldo config validate', 'every mistake with its line and column'],
      ['respaldo config schema > respaldo.schema.json', 'for completion in an editor'],
    ],
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
