import { InvalidArgumentError, type Command } from 'commander';
import { openRuntimeOf, openSources } from '../../compose.ts';
import { choosePlans } from '../../config/plans.ts';
import type { Plan } from '../../domain/plan.ts';
import { parseSize } from '../../domain/size.ts';
import { RespaldoError, toRespaldoError } from '../../errors.ts';
import { requireFollowable, stream, type StreamPorts } from '../../operations/stream.ts';
import { StreamRecord } from '../../operations/stream-record.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Source } from '../../sources/source.ts';
import { describe, REPOSITORY_EXITS } from '../help.ts';
import { backupHost, identity } from '../identity.ts';
import type { Invocation } from '../invocation.ts';
import { OpenRepositories } from '../open-repositories.ts';
import { addRuntimeOptions, runtimeTarget, type RuntimeOptions } from '../runtime-options.ts';
import { collect } from '../select.ts';
import { surroundings, withRecorder, type Surroundings } from '../session.ts';
import { parseSpan } from '../time.ts';
import { tellFinding } from '../views/finding.ts';
import { storedLine, storedMessage, troubleLine } from '../views/stream.ts';

interface Options extends RuntimeOptions {
  readonly every: number;
  readonly size: number;
  readonly tag: readonly string[];
  readonly host?: string;
}

const DEFAULT_EVERY_MS = 15_000;
const DEFAULT_BYTES = 32 * 1024 ** 2;
/** A stretch lies in memory while it grows. */
const MOST_BYTES = 256 * 1024 ** 2;

export function define(command: Command, invocation: Invocation): void {
  const described = describe(command, {
    about:
      'Reads the binary log of a MySQL or MariaDB server as a replica does, and stores it while it is written, so that ' +
      '`respaldo restore --until` leads to any moment. Runs until it is ended (Ctrl-C, SIGTERM), and stores what has ' +
      'come before it ends. Servers and stores may go away and come back: what was not stored is read again. Only what ' +
      'was told as stored is.',
    examples: [
      ['respaldo stream shop-log', 'a plan, whose source is mysql://…?method=binlogs'],
      ["respaldo stream 'mysql://backup@db1/?method=binlogs' --every 5s", 'an address; at most so much is lost'],
      ['respaldo stream shop-log --container shop-db', 'of a server in a container'],
    ],
    exits: [...REPOSITORY_EXITS],
  })
    .argument('<plan|address>', 'a plan of respaldo.yaml, or the log of a server')
    .option('--every <time>', 'store what has come so often, at the latest; default: 15s', parseSpan, DEFAULT_EVERY_MS)
    .option('--size <size>', 'begin another snapshot after so many bytes; default: 32M', parseBytes, DEFAULT_BYTES)
    .option('--tag <tag,…>', 'mark the snapshots (repeatable)', collect, [])
    .option('-H, --host <name>', 'record this host; default: this one (RESPALDO_HOST)');
  addRuntimeOptions(described).action((what: string, options: Options) => run(invocation, what, options));
}

async function run(invocation: Invocation, what: string, options: Options): Promise<void> {
  const { output, signal } = invocation;
  const around = await surroundings(invocation);
  const plan = planOf(what, options, around);
  const source = await sourceOf(plan, around, signal);
  requireFollowable(source);
  await using repositories = new OpenRepositories(invocation, around, 'save');
  const subject = plan.name ?? source.paths.join(', ');
  const repository = await repositories.locationOf(plan);
  await withRecorder(invocation, async (recorder) => {
    const record = new StreamRecord({ operation: 'backup', subject, repository, type: 'incremental' }, recorder);
    try {
      await follow(plan, source, record, await repositories.of(plan), options, invocation);
    } catch (error) {
      await record.failed(toRespaldoError(error));
      throw error;
    }
  });
  output.note('ended: everything that had come is stored');
}

async function follow(
  plan: Plan,
  source: Source,
  record: StreamRecord,
  repository: Repository,
  options: Options,
  { output, clock, signal, version }: Invocation,
): Promise<void> {
  const request = {
    backup: {
      source,
      ...(plan.name !== undefined && { plan: plan.name }),
      tags: plan.tags,
      hostname: options.host ?? backupHost(),
      username: identity().username,
      program: `respaldo ${version}`,
    },
    every: options.every,
    bytes: options.size,
  };
  const ports = {
    repository,
    runtime: await openRuntimeOf(plan, process.env, clock),
    clock,
    record,
    onFinding: (finding: Parameters<typeof tellFinding>[0]) => tellFinding(finding, 'archival', output),
    onStored: (...[stretch, snapshot]: Parameters<NonNullable<StreamPorts['onStored']>>) => {
      output.json(storedMessage(stretch, snapshot, clock.now()));
      output.note(storedLine(stretch, snapshot, clock.now()));
    },
    onTrouble: (...trouble: Parameters<typeof troubleLine>) => output.warn(troubleLine(...trouble)),
  };
  output.note(`following ${source.paths.join(', ')}`);
  await stream(request, ports, signal);
}

function planOf(what: string, options: Options, { config, workingDirectory }: Surroundings): Plan {
  const runtime = runtimeTarget(options);
  const tags = options.tag.flatMap((list) => list.split(',')).filter((tag) => tag !== '');
  const flags = {
    ...(runtime && { runtime }),
    tags,
    selection: { exclude: [], oneFileSystem: false, excludeCaches: false },
    reading: {},
    skipIfUnchanged: false,
    acceptDamagedPages: false,
  };
  const [plan] = choosePlans([what], flags, config, workingDirectory);
  if (plan !== undefined) return plan;
  throw new RespaldoError('usage', `there is no plan ${what}`, { hint: 'See respaldo.yaml.' });
}

async function sourceOf(plan: Plan, { readSecret }: Surroundings, signal: AbortSignal): Promise<Source> {
  const [source, another] = await openSources(plan, readSecret, signal, process.env);
  if (source !== undefined && another === undefined) return source;
  throw new RespaldoError('usage', 'a stream follows one log, and the plan has several sources', {
    hint: 'Make a plan of its own for each log.',
  });
}

function parseBytes(text: string): number {
  const bytes = parseSize(text);
  if (bytes !== undefined && bytes > 0 && bytes <= MOST_BYTES) return bytes;
  throw new InvalidArgumentError('Write it as 32M, and not more than 256M: it lies in memory while it grows.');
}
