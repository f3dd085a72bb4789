/** What `respaldo retention set` does. */
import { CALENDAR_CLASSES } from '../domain/calendar.ts';
import type { CalendarRules, KeepRules, Plan } from '../domain/plan.ts';
import { RespaldoError } from '../errors.ts';
import type { NamedPlan } from '../config/named-plans.ts';
import type { RetentionChange } from '../config/retention-edit.ts';
import type { Invocation } from './invocation.ts';
import { rulesOf, type KeepOptions } from './keep-options.ts';
import { quoted } from './printable.ts';
import { previewRetention } from './retention-run.ts';
import { surroundings } from './session.ts';
import { rulesText } from './views/retention.ts';

/** As commander hands them over. */
export interface SetOptions extends KeepOptions, Partial<CalendarRules> {
  readonly replace?: boolean;
  readonly dryRun?: boolean;
}

export async function setRetention(
  name: string | undefined,
  options: SetOptions,
  invocation: Invocation,
): Promise<void> {
  const { output } = invocation;
  const change = changeOf(options);
  const [{ namedPlans }, { rewriteConfig }, { editRetention }] = await Promise.all([
    import('../config/named-plans.ts'),
    import('../config/rewrite.ts'),
    import('../config/retention-edit.ts'),
  ]);
  const { config } = await surroundings(invocation);
  const plan = only(namedPlans(name === undefined ? [] : [name], config));
  requireSameKind(plan, change, options.replace ?? false);
  if (config === undefined) throw new TypeError('a plan comes from a configuration');
  const {
    before,
    after,
    config: changed,
  } = await rewriteConfig(config.file, (text) => editRetention(text, plan, change), options.dryRun !== true);
  const now = { ...(changed.plans.get(plan.name) ?? plan), name: plan.name };
  const preview = options.dryRun === true ? await previewOf(now, invocation) : undefined;
  output.json({
    message_type: 'retention',
    plan: plan.name,
    file: config.file,
    changed: before !== after,
    written: before !== after && options.dryRun !== true,
    rules: rulesText(now),
    ...(preview && { outlook: preview.message }),
  });
  output.note(`${quoted(plan.name)} had  ${rulesText(plan)}`);
  output.note(`${quoted(plan.name)} has  ${rulesText(now)}`);
  if (preview !== undefined) output.result([...preview.lines, ''].join('\n'));
  if (options.dryRun === true) output.note('a dry run: nothing was changed');
  else output.note(before === after ? 'nothing to change' : output.style('green', `${quoted(config.file)} changed`));
}

/** Rules can be tried before there is a repository, or where nobody knows its password: then they are shown alone. */
async function previewOf(plan: NamedPlan, invocation: Invocation): ReturnType<typeof previewRetention> {
  try {
    return await previewRetention(plan, invocation);
  } catch (error) {
    if (!(error instanceof RespaldoError) || error.code === 'cancelled') throw error;
    invocation.output.note(`what would stay and go cannot be shown: ${error.message}`);
    return undefined;
  }
}

/** @throws RespaldoError `usage` for no rules, and for rules of both kinds */
function changeOf(options: SetOptions): RetentionChange {
  const calendar = given(options);
  const { tags = [], ...others } = rulesOf(options);
  const keep: KeepRules = tags.length === 0 ? others : { ...others, tags };
  const [hasCalendar, hasKeep] = [calendar, keep].map((rules) => Object.keys(rules).length > 0);
  if (hasCalendar === hasKeep)
    throw new RespaldoError(
      'usage',
      hasKeep === true ? 'a plan has a calendar or keep rules, not both' : 'no rule was given',
      {
        hint: 'Give some of --daily, --weekly, --monthly, --yearly, --full, or some of --keep-last, --keep-daily …',
      },
    );
  return hasCalendar === true ? { block: 'calendar', rules: calendar } : { block: 'keep', rules: keep };
}

function given(options: SetOptions): Partial<CalendarRules> {
  return Object.fromEntries(
    CALENDAR_CLASSES.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  );
}

function only(plans: readonly NamedPlan[]): NamedPlan {
  const [first, ...others] = plans;
  if (first !== undefined && others.length === 0) return first;
  throw new RespaldoError('usage', 'there are several plans: say which one', {
    hint: `respaldo retention set ${plans.map(({ name }) => name).join('|')} …`,
  });
}

function requireSameKind(plan: Plan & { readonly name: string }, { block }: RetentionChange, replace: boolean): void {
  const other = block === 'calendar' ? 'keep' : 'calendar';
  if (plan[other] === undefined || replace) return;
  throw new RespaldoError(
    'usage',
    `the plan ${plan.name} keeps snapshots by ${other}:, and a plan has one of the two`,
    {
      hint: `--replace takes ${block}: in its place.`,
    },
  );
}
