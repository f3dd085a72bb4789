/** Changes the retention of a plan in the text of respaldo.yaml, and nothing else there: comments and order stay. */
import { isMap, isScalar, parseDocument, type Document, type YAMLMap } from 'yaml';
import { CALENDAR_CLASSES, CALENDAR_DEFAULTS } from '../domain/calendar.ts';
import type { CalendarRules, KeepRules, Plan } from '../domain/plan.ts';
import { RespaldoError } from '../errors.ts';
import { keepKeys } from './keep.ts';
import { patchText } from './patch-text.ts';

const OPTIONS = { merge: true, stringKeys: true } as const;

/** What is to be changed: rules of one of the two blocks, those that are not given stay as they are. */
export type RetentionChange =
  | { readonly block: 'calendar'; readonly rules: Partial<CalendarRules> }
  | { readonly block: 'keep'; readonly rules: KeepRules };

/**
 * The text with the plan's rules changed. A plan without a calendar gets a whole one, with the defaults for what is
 * not given. The other block is taken out: a plan has one of the two.
 * @param plan the same plan as the text's, as it is valid now.
 * @throws RespaldoError `config` where the plan is written in a way that cannot be changed in place.
 */
export function editRetention(text: string, plan: Plan & { readonly name: string }, change: RetentionChange): string {
  const parse = (): Document => parseDocument(text, OPTIONS);
  const document = parse();
  const settings = document.getIn(['plans', plan.name]);
  if (!isMap(settings)) throw unchangeable(plan.name);
  const other = change.block === 'keep' ? 'calendar' : 'keep';
  if (isInherited(settings, other, plan)) throw unchangeable(plan.name);
  const block = settings.get(change.block);
  const given = settingsOf(change);
  if (isMap(block)) for (const [key, value] of Object.entries(given)) block.set(key, value);
  else put(settings, change.block, flow(document, { ...settingsNow(plan, change.block), ...given }), other);
  if (othersOf(document, plan.name) !== othersOf(parse(), plan.name)) throw unchangeable(plan.name);
  return inTheStyleOf(text, parse(), document);
}

/** In the place of the other block, below what is said there before it, or at the end. */
function put(settings: YAMLMap, block: string, rules: unknown, other: string): void {
  const pair = settings.items.find(({ key }) => isScalar(key) && key.value === other);
  if (pair === undefined || !isScalar(pair.key)) settings.set(block, rules);
  else {
    pair.key.value = block;
    pair.value = rules;
  }
}

/** What all but the plan means; nothing where it has lost what it refers to. */
function othersOf(document: Document, plan: string): string | undefined {
  try {
    const { plans, ...rest } = document.toJS() as { readonly plans?: Readonly<Record<string, unknown>> };
    return JSON.stringify([rest, Object.entries(plans ?? {}).filter(([name]) => name !== plan)]);
  } catch (error) {
    if (error instanceof ReferenceError) return undefined;
    throw error;
  }
}

/** Whether it came in by `<<` from elsewhere, where others may need it. */
function isInherited(settings: YAMLMap, block: 'keep' | 'calendar', plan: Plan): boolean {
  return plan[block] !== undefined && !settings.has(block);
}

function settingsNow({ keep, calendar }: Plan, block: 'keep' | 'calendar'): Readonly<Record<string, unknown>> {
  if (block === 'keep') return keepKeys(keep ?? {});
  const rules = calendar ?? CALENDAR_DEFAULTS;
  return Object.fromEntries(CALENDAR_CLASSES.map((name) => [name, shown(rules[name])]));
}

function settingsOf(change: RetentionChange): Readonly<Record<string, unknown>> {
  if (change.block === 'keep') return keepKeys(change.rules);
  const given = CALENDAR_CLASSES.filter((name) => change.rules[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, shown(change.rules[name])]));
}

function shown(count: number | undefined): number | 'unlimited' | undefined {
  return count === Infinity ? 'unlimited' : count;
}

function flow(document: Document, content: Readonly<Record<string, unknown>>): unknown {
  return document.createNode(content, { flow: true });
}

/**
 * The document as text in which only the lines differ that mean something else. The printer has customs of its own, for
 * spaces before comments and the like: what it would print of the unchanged document tells which lines it changed for
 * that reason alone.
 */
function inTheStyleOf(text: string, unchanged: Document, document: Document): string {
  const lines = text.replaceAll('\r\n', '\n');
  const edited = printed(document, text);
  const patched = patchText(lines, printed(unchanged, text), edited);
  const result = patched !== undefined && meansTheSame(patched, document) ? patched : edited;
  return text.includes('\r\n') ? result.replaceAll('\n', '\r\n') : result;
}

function meansTheSame(text: string, document: Document): boolean {
  const other = parseDocument(text, OPTIONS);
  return other.errors.length === 0 && JSON.stringify(other.toJS()) === JSON.stringify(document.toJS());
}

/** Indented as the text is; long lines stay long. */
function printed(document: Document, text: string): string {
  const indent = /^( +)\S/m.exec(text)?.[1]?.length ?? 2;
  const indentSeq = !/^( *)[^\s#][^\n]*:[ \t]*(?:#[^\n]*)?\r?\n\1- /m.test(text);
  return `${document.toString({ lineWidth: 0, indent: Math.min(indent, 8), indentSeq }).trimEnd()}\n`;
}

function unchangeable(plan: string): RespaldoError {
  return new RespaldoError(
    'config',
    `the rules of the plan ${plan} are shared with others, by an alias or a merge (<<)`,
    {
      hint: 'Change them by hand, where they are.',
    },
  );
}
