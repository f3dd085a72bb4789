import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Command } from 'commander';
import { hostRuntime, openSandboxOf, sourceKinds } from '../../compose.ts';
import type { Config } from '../../config/config.ts';
import { DEFAULT_DRILL, recoverySeconds, type DrillPhase, type DrillSettings } from '../../domain/drill.ts';
import { latestOfEach } from '../../domain/latest.ts';
import { isIncomplete, type Snapshot } from '../../domain/snapshot.ts';
import { RespaldoError } from '../../errors.ts';
import { recorded } from '../../operations/recording.ts';
import { verify, type VerifyOutcome } from '../../operations/verify.ts';
import type { Repository, RestoreProgress } from '../../repository/repository.ts';
import { describe, REPOSITORY_EXITS } from '../help.ts';
import type { Invocation } from '../invocation.ts';
import { showProgress } from '../progress.ts';
import { addSelectOptions, collect, filterOf, type SelectOptions } from '../select.ts';
import { withRecorder, withRepository } from '../session.ts';
import { tellFinding } from '../views/finding.ts';
import { restoreProgress } from '../views/restore.ts';
import { shortId, snapshotTitle } from '../views/snapshot.ts';
import { phaseLine, verifyLines, verifyMessage } from '../views/verify.ts';

interface Options extends SelectOptions {
  readonly folder?: string;
  readonly image?: string;
  readonly content?: boolean;
  readonly assert: readonly string[];
  readonly database?: string;
}

/** A snapshot that is to be proven, by what its plan demands. */
interface Subject {
  readonly snapshot: Snapshot;
  /** For the memory of runs. */
  readonly name: string;
  readonly settings: DrillSettings;
}

export function define(command: Command, invocation: Invocation): void {
  describe(command, {
    about:
      'A drill: the snapshot is restored to where nobody else looks, checked, and removed. The snapshot of a database ' +
      'is restored into a throw-away server of its kind, which listens to nobody else and is never a copy that somebody ' +
      'could take for the original; what it holds is checked, then what the plan asserts of it. Files are read ' +
      'back and compared. A snapshot that passes gets the tag proven (and so a new id); one that fails loses it. How ' +
      'long the recovery took is told, and remembered by `respaldo runs`.',
    examples: [
      ['respaldo verify latest', 'the newest snapshot'],
      ['respaldo verify shop', "the newest of a plan, with the plan's assertions"],
      ['respaldo verify 1a2b3c4d --assert "SELECT count(*) > 0 FROM orders"', 'with an assertion'],
      ['respaldo verify latest --folder /srv/drills', 'where there is room'],
    ],
    exits: [...REPOSITORY_EXITS],
  })
    .argument('<what...>', "snapshots (ids, their beginnings, latest), or plans' names")
    .option('--folder <folder>', 'where to restore to for the time of the drill (default: the temporary folder)')
    .option('--image <image>', 'run the server in a container of this image, not by programs of this host')
    .option('--content', 'only restore the files and compare every byte: verified, not proven')
    .option('--assert <sql>', 'a SELECT that must give true in the restored database (repeatable)', collect, [])
    .option('--database <name>', 'where --assert asks (default: the only one that is not the server’s own)');
  addSelectOptions(command).action((what: string[], options: Options) =>
    withRepository(invocation, (repository, { config }) => run(repository, what, options, config, invocation)),
  );
}

async function run(
  repository: Repository,
  what: readonly string[],
  options: Options,
  config: Config | undefined,
  invocation: Invocation,
): Promise<void> {
  const subjects: Subject[] = [];
  for (const one of what) subjects.push(...(await subjectsOf(one, repository, options, config, invocation.signal)));
  let refuted = 0;
  for (const subject of subjects) {
    const { state } = await prove(subject, options.content === true, repository, invocation);
    if (state === 'refuted') refuted += 1;
  }
  if (refuted === 0) return;
  invocation.exit(1);
  invocation.output.jsonError({ message_type: 'exit_error', code: 1, message: 'a snapshot is not proven' });
}

/** A plan stands for its newest complete snapshots, one of each of its sources. */
async function subjectsOf(
  what: string,
  repository: Repository,
  options: Options,
  config: Config | undefined,
  signal: AbortSignal,
): Promise<readonly Subject[]> {
  const filter = filterOf(options);
  if (config?.plans.has(what) !== true) {
    const snapshot = await repository.find(what, filter, signal);
    const plan = planOf(snapshot, config);
    return [{ snapshot, name: plan?.name ?? shortId(snapshot.id), settings: settingsOf(plan?.drill, options) }];
  }
  const all = await repository.snapshots({ ...filter, tags: [[`plan=${what}`]] }, signal);
  const newest = latestOfEach(
    all.filter((snapshot) => !isIncomplete(snapshot)),
    1,
  );
  if (newest.length === 0)
    throw new RespaldoError('snapshot-missing', `there is no complete snapshot of the plan ${what}`, {
      hint: `Take one: respaldo backup ${what}`,
    });
  const settings = settingsOf(config.plans.get(what)?.drill, options);
  return newest.map((snapshot) => ({ snapshot, name: what, settings }));
}

/** The plan that took it, as its tags say. */
function planOf({ tags = [] }: Snapshot, config: Config | undefined) {
  return tags.flatMap((tag) => (tag.startsWith('plan=') ? (config?.plans.get(tag.slice(5)) ?? []) : []))[0];
}

function settingsOf(own: DrillSettings = DEFAULT_DRILL, { folder, image, assert, database }: Options): DrillSettings {
  return {
    ...own,
    assertions: [...own.assertions, ...assert.map((sql) => ({ sql, ...(database !== undefined && { database }) }))],
    ...(folder !== undefined && { folder: path.resolve(folder) }),
    ...(image !== undefined && { image }),
  };
}

async function prove(
  { snapshot, name, settings }: Subject,
  contentOnly: boolean,
  repository: Repository,
  invocation: Invocation,
): Promise<VerifyOutcome> {
  const { output, clock, signal } = invocation;
  output.note(`proving ${snapshotTitle(snapshot)}`);
  const ports = { repository, runtime: await hostRuntime(), kinds: await sourceKinds(), clock };
  const work = async (): Promise<VerifyOutcome> => {
    using progress = showProgress<RestoreProgress>(output, clock, restoreProgress);
    return await verify(
      { snapshot, settings, folder: tmpdir(), contentOnly },
      {
        ...ports,
        openSandbox: (wanted) => openSandboxOf(wanted, process.env),
        onProgress: progress.update,
        onPhase: (phase: DrillPhase) => {
          // What follows the files takes as long as it takes.
          if (phase !== 'fetch') progress[Symbol.dispose]();
          if (output.interactive) output.status(phaseLine(phase));
          else output.detail(phaseLine(phase));
        },
        onFinding: (finding) => tellFinding(finding, 'restore', output),
      },
      signal,
    );
  };
  const about = { operation: 'verify', subject: name, repository: repository.location } as const;
  const outcome = await withRecorder(invocation, (recorder) => recorded(about, recorder, work, resultOf));
  output.json(verifyMessage(snapshot, outcome));
  for (const line of verifyLines(snapshot, outcome, output)) output.note(line);
  if (outcome.state === 'refuted') output.alarm(`snapshot ${shortId(outcome.id)} is not proven: see above`);
  if (outcome.unmarked !== undefined) throw outcome.unmarked;
  return outcome;
}

function resultOf({ state, id, report }: VerifyOutcome) {
  return {
    state: state === 'refuted' ? ('failed' as const) : ('succeeded' as const),
    snapshot: id,
    ...(state === 'proven' && { recoveryMs: Math.round(recoverySeconds(report.times) * 1000) }),
  };
}
