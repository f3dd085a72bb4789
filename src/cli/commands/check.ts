import type { Command } from 'commander';
import { RespaldoError } from '../../errors.ts';
import { check } from '../../operations/check.ts';
import { recorded } from '../../operations/recording.ts';
import type { CheckOptions, DataSubset, Repository } from '../../repository/repository.ts';
import { parseDataSubset } from '../data-subset.ts';
import { describe, REPOSITORY_EXITS } from '../help.ts';
import type { Invocation } from '../invocation.ts';
import { harmless } from '../printable.ts';
import { showProgress } from '../progress.ts';
import { withRecorder, withRepository } from '../session.ts';
import { count } from '../units.ts';
import { checkMessage, checkProgress, type CheckProgress } from '../views/check.ts';
import { repairAdvice } from '../views/repair-advice.ts';

interface Options {
  readonly readData?: boolean;
  readonly readDataSubset?: DataSubset;
}

export function define(command: Command, invocation: Invocation): void {
  describe(command, {
    about:
      'Without --read-data: that every snapshot, tree, index and pack is there, fits together and has the right ' +
      'size. With it everything is read, decrypted and hashed: only this finds a flipped bit.',
    examples: [
      ['respaldo check', 'quick: every day'],
      ['respaldo check --read-data', 'thorough: every month'],
      ['respaldo check --read-data-subset 2/7', 'or a seventh every day'],
    ],
    exits: [...REPOSITORY_EXITS],
  })
    .option('--read-data', 'read, decrypt and hash everything')
    .option(
      '--read-data-subset <subset>',
      'of a part of the packs: 2/5, the second fifth; 10% or 2G, chosen by chance',
      parseDataSubset,
    )
    .action((options: Options) => {
      const readData = scopeOf(options);
      return withRepository(invocation, (repository) => run(repository, readData, invocation));
    });
}

function scopeOf({ readData = false, readDataSubset }: Options): CheckOptions['readData'] {
  if (readData && readDataSubset !== undefined)
    throw new RespaldoError('usage', '--read-data and --read-data-subset contradict each other', {
      hint: 'Give one of them.',
    });
  return readDataSubset ?? readData;
}

async function run(repository: Repository, readData: CheckOptions['readData'], invocation: Invocation): Promise<void> {
  const { output, clock, signal, exit } = invocation;
  const scope =
    readData === true ? 'structure and data' : readData === false ? 'the structure' : 'structure and some data';
  output.note(`checking ${scope}`);
  const look = async () => {
    using progress = showProgress<CheckProgress>(output, clock, checkProgress);
    return await check(
      { readData, onProgress: (done, total, what) => progress.update({ done, total, what }) },
      {
        repository,
        onFinding: (finding) => {
          if (finding.severity === 'note') output.note(harmless(finding.message));
          else {
            output.alarm(`damage: ${finding.message}`);
            output.jsonError({ message_type: 'error', message: finding.message });
          }
        },
      },
      signal,
    );
  };
  const { state, findings } = await withRecorder(invocation, (recorder) =>
    recorded(
      { operation: 'check', subject: readData === false ? 'structure' : 'with data', repository: repository.location },
      recorder,
      look,
      (outcome) => ({ state: outcome.state === 'clean' ? 'succeeded' : 'failed' }),
    ),
  );
  output.json(checkMessage(findings));
  if (state === 'clean') {
    output.note(output.style('green', 'no damage was found'));
    return;
  }
  exit(1);
  const damage = findings.filter(({ severity }) => severity !== 'note').length;
  output.jsonError({ message_type: 'exit_error', code: 1, message: 'the repository is damaged' });
  output.alarm(`the repository is damaged: ${count(damage, 'problem')} found. Do not prune it.`);
  for (const line of ['To repair it:', ...repairAdvice(findings)]) output.note(line);
}
