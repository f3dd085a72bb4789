import type { Reading, Selection } from '../domain/entry.ts';
import type { Plan, PlanSource, WantedType } from '../domain/plan.ts';
import type { RuntimeTarget } from '../domain/runtime-target.ts';
import { RespaldoError } from '../errors.ts';
import type { Config } from './config.ts';
import { didYouMean } from './suggest.ts';

/** What a `backup` command line says beside plans and addresses. */
export interface BackupFlags {
  /** Overrides a plan's. */
  readonly runtime?: RuntimeTarget;
  readonly type?: WantedType;
  readonly tags: readonly string[];
  readonly selection: Selection;
  readonly reading: Reading;
  readonly skipIfUnchanged: boolean;
  readonly readConcurrency?: number;
  readonly acceptDamagedPages: boolean;
}

/**
 * The plans that a `backup` command line means: an argument that is the name of a plan is that plan; all others are
 * addresses and together make one unnamed plan. No argument: every plan. Flags add to a plan, and override its type.
 * @throws RespaldoError `usage` where nothing is left to back up, or a name is probably mistyped.
 */
export function choosePlans(
  args: readonly string[],
  flags: BackupFlags,
  config: Config | undefined,
  workingDirectory: string,
): readonly Plan[] {
  if (args.length === 0) return everyPlan(config).map((plan) => withFlags(plan, flags));
  const unique = [...new Set(args)];
  const isName = (text: string) => config?.plans.has(text) === true;
  const named = unique.flatMap((text) => config?.plans.get(text) ?? []).map((plan) => withFlags(plan, flags));
  const [first, ...others] = unique.filter((text) => !isName(text)).map((address): PlanSource => ({ address }));
  return first ? [...named, adHoc([first, ...others], flags, workingDirectory)] : named;
}

/** What to say of an address where nothing lies, if it was probably meant to be a plan's name. */
export function planHint(address: string, config: Config | undefined): string | undefined {
  const meant = didYouMean(address, config?.plans.keys() ?? []);
  return meant === '' ? undefined : `There is no plan ${address} in respaldo.yaml either${meant}`;
}

function everyPlan(config: Config | undefined): readonly Plan[] {
  const plans = [...(config?.plans.values() ?? [])];
  if (plans.length > 0) return plans;
  throw new RespaldoError(
    'usage',
    'nothing to back up: no plan or address is named, and there is no plan in respaldo.yaml',
    {
      hint: 'Name a folder or a database: respaldo backup ./folder --repo ./backups. What is found by itself: respaldo detect',
    },
  );
}

function withFlags(plan: Plan, flags: BackupFlags): Plan {
  return {
    ...plan,
    ...(flags.runtime && { runtime: flags.runtime }),
    type: flags.type ?? plan.type,
    tags: [...plan.tags, ...flags.tags],
    selection: withSelection(plan.selection, flags.selection),
    reading: { ...plan.reading, ...flags.reading },
    skipIfUnchanged: plan.skipIfUnchanged === true || flags.skipIfUnchanged,
    ...(flags.readConcurrency !== undefined && { readConcurrency: flags.readConcurrency }),
    acceptDamagedPages: plan.acceptDamagedPages || flags.acceptDamagedPages,
  };
}

/** Flags leave out more than the plan does; of two sizes that of the flag counts. */
function withSelection(own: Selection, added: Selection): Selection {
  const largest = added.excludeLargerThan ?? own.excludeLargerThan;
  return {
    exclude: [...own.exclude, ...added.exclude],
    iexclude: [...(own.iexclude ?? []), ...(added.iexclude ?? [])],
    oneFileSystem: own.oneFileSystem || added.oneFileSystem,
    excludeCaches: own.excludeCaches || added.excludeCaches,
    excludeIfPresent: [...(own.excludeIfPresent ?? []), ...(added.excludeIfPresent ?? [])],
    ...(largest !== undefined && { excludeLargerThan: largest }),
  };
}

function adHoc(sources: Plan['sources'], { type = 'auto', ...flags }: BackupFlags, folder: string): Plan {
  return { sources, folder, type, ...flags };
}
