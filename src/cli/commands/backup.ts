import type { Command } from 'commander';
import { neverMind, prepareFor, sourceAddresses } from '../../compose.ts';
import { goToArchivesAlone } from '../../config/archives-alone.ts';
import { namedPlans, type NamedPlan } from '../../config/named-plans.ts';
import { choosePlans } from '../../config/plans.ts';
import { hasRepository, type Plan } from '../../domain/plan.ts';
import { RespaldoError } from '../../errors.ts';
import { addBackupOptions, flagsOf, requireOneSubject, type BackupOptions } from '../backup-options.ts';
import { detectedServer } from '../detected-server.ts';
import { readLists } from '../files-from.ts';
import { describe, REPOSITORY_EXITS } from '../help.ts';
import type { Invocation } from '../invocation.ts';
import { OpenRepositories } from '../open-repositories.ts';
import { backUpPlan, isStream, oneName, type Scene } from '../plan-backup.ts';
import { runtimeScope } from '../runtime-options.ts';
import { surroundings, withRecorder, type Surroundings } from '../session.ts';

/** What addresses are called beside plans: they may hold a password. */
const NAMELESS = '(no plan)';

export async function define(command: Command, invocation: Invocation): Promise<void> {
  describe(command, {
    about:
      `An address is ${await sourceAddresses()}. A ` +
      'plan is a name in respaldo.yaml; without arguments every plan is run that is due by its schedule, or has none; ' +
      'where there is no plan, the one database that `respaldo detect` finds. Several plans run at once, each after ' +
      'those that it depends on. What could not be read is told, the rest is stored, and the snapshot is marked ' +
      'incomplete.',
    examples: [
      ['respaldo backup ./folder', 'only what changed since the last snapshot is read'],
      ['respaldo backup --exclude "*.tmp" -x /home', 'without some files, on one file system'],
      ['respaldo backup', 'the plans that are due'],
      ['respaldo backup --all --jobs 4', 'all of them, four at once'],
      ['respaldo backup --full --name pre_migration shop', 'a plan, everything read again, under a name'],
      ['respaldo backup "postgresql://backup@db1/?method=physical"', 'a PostgreSQL server'],
      ['respaldo backup "postgresql://dumper@db1/shop?method=logical"', 'a database of it, as a dump'],
      ['respaldo backup --container shop-db', 'all databases of the server in a container'],
      ['pg_dump shop | respaldo backup --stdin --stdin-filename shop.sql', 'what another program writes'],
      ['respaldo backup --stdin-from-command -- pg_dump shop', 'the same, and nothing if it fails'],
      ['respaldo backup -n -vv ./folder', 'what would it do, file by file?'],
    ],
    exits: [3, ...REPOSITORY_EXITS],
  }).argument('[plan|address...]', 'plans of respaldo.yaml, folders, databases; with --stdin-from-command: a command');
  addBackupOptions(command).action((args: string[], options: BackupOptions) => run(invocation, args, options));
}

async function run(invocation: Invocation, args: readonly string[], options: BackupOptions): Promise<void> {
  requireOneSubject(args, options);
  // A repository is begun with while the configuration is still being checked.
  const around = await surroundings(invocation, async (content) => {
    if (isStream(options) || !goToArchivesAlone(args, content)) await prepareFor('save');
  });
  const everything = await everyPlanMeant(args, options, around);
  const plans = everything ?? (await plansOf(args, options, around, invocation));
  if (options.name !== undefined && plans.length > 1) throw oneName();
  await (plans.some(hasRepository) ? prepareFor : neverMind)('save');
  await using repositories = new OpenRepositories(invocation, around, 'save');
  await withRecorder(invocation, async (recorder) => {
    const scene: Scene = { args, invocation, around, repositories, recorder };
    const [only, ...others] = plans;
    if (everything === undefined && only !== undefined && others.length === 0) return backUpOnly(only, options, scene);
    // Loaded here: one backup alone starts faster without.
    const { backUpPlans, whichAreDue } = await import('../several-plans.ts');
    if (everything !== undefined && options.all !== true) {
      await backUpPlans(await whichAreDue(everything, options, scene), options, scene);
    } else {
      await backUpPlans(
        plans.map((plan) => ({ name: plan.name ?? NAMELESS, plan })),
        options,
        scene,
      );
    }
  });
}

/** One plan, or what the command line describes: in the words and messages of restic. */
async function backUpOnly(plan: Plan, options: BackupOptions, scene: Scene): Promise<void> {
  const { output, exit } = scene.invocation;
  const { aftermath, problem } = await backUpPlan(plan, options, scene);
  if (aftermath !== undefined) throw aftermath;
  if (problem === undefined) return;
  exit(3);
  output.jsonError({ message_type: 'exit_error', code: 3, message: problem.message });
}

/**
 * Every plan of the configuration, where the command line means them all: those of them that are due, or with `--all` each.
 * @throws RespaldoError `usage` for `--all` where there is nothing that it could mean
 */
async function everyPlanMeant(
  args: readonly string[],
  options: BackupOptions,
  { config }: Surroundings,
): Promise<readonly NamedPlan[] | undefined> {
  const { all = false } = options;
  const isSaid = args.length > 0 || isStream(options) || hasLists(options) || meansServer(options, config);
  if (all && isSaid)
    throw new RespaldoError('usage', '--all means every plan: what else is to be backed up cannot be said beside it', {
      hint: 'Leave --all out to back up what is named, and the names to back up every plan.',
    });
  if (isSaid || (!all && (config?.plans.size ?? 0) === 0)) return undefined;
  const flags = await flagsOf(options);
  return namedPlans([], config).map((plan) => ({
    ...plan,
    ...choosePlans([plan.name], flags, config, plan.folder)[0],
    name: plan.name,
  }));
}

/** A stream is a plan of its own, whose source is opened apart. */
async function plansOf(
  args: readonly string[],
  options: BackupOptions,
  { config, workingDirectory }: Surroundings,
  invocation: Invocation,
): Promise<readonly Plan[]> {
  const { output } = invocation;
  if (isStream(options))
    return choosePlans([options.stdinFilename], await flagsOf(options), undefined, workingDirectory);
  const listed = await readLists(options, (message) => output.warn(message));
  if (hasLists(options) && listed.length + args.length === 0)
    throw new RespaldoError('usage', 'nothing to back up: the lists name nothing', {
      hint: 'Check what should have written them.',
    });
  // A name of a list is a file, whatever it looks like.
  const addresses = listed.map((name) => (name.startsWith('/') ? name : `./${name}`));
  const named = [...args, ...addresses];
  const isSaid = named.length > 0 || ((config?.plans.size ?? 0) > 0 && !meansServer(options, config));
  const server = isSaid ? undefined : await detectedServer(options, invocation);
  const subjects = server === undefined ? named : [server.address];
  return choosePlans(subjects, await flagsOf(options, server?.target), config, workingDirectory);
}

/** A container or pod cannot be that of several plans at once: then the server in it is meant, and none of them. */
function meansServer(options: BackupOptions, config: Surroundings['config']): boolean {
  return config?.plans.size !== 1 && runtimeScope(options).kind !== undefined;
}

function hasLists({ filesFrom, filesFromVerbatim, filesFromRaw }: BackupOptions): boolean {
  return filesFrom.length + filesFromVerbatim.length + filesFromRaw.length > 0;
}
