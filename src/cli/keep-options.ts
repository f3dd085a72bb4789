import { InvalidArgumentError, type Command } from 'commander';
import type { KeepRules } from '../domain/plan.ts';
import { collect } from './select.ts';

/** restic's rules, as commander hands them over. */
export interface KeepOptions {
  readonly keepLast?: number;
  readonly keepHourly?: number;
  readonly keepDaily?: number;
  readonly keepWeekly?: number;
  readonly keepMonthly?: number;
  readonly keepYearly?: number;
  readonly keepWithin?: string;
  readonly keepWithinHourly?: string;
  readonly keepWithinDaily?: string;
  readonly keepWithinWeekly?: string;
  readonly keepWithinMonthly?: string;
  readonly keepWithinYearly?: string;
  readonly keepTag: readonly string[];
}

const PERIODS = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;

export function addKeepOptions(command: Command): Command {
  command.option('-l, --keep-last <n>', 'keep the last n snapshots (or unlimited)', parseCount);
  for (const period of PERIODS)
    command.option(`--keep-${period} <n>`, `keep the last n ${period} snapshots (or unlimited)`, parseCount);
  command.option('--keep-within <duration>', 'keep what is newer than 1y5m7d2h before the newest');
  for (const period of PERIODS)
    command.option(`--keep-within-${period} <duration>`, `keep ${period} snapshots newer than this`);
  return command.option('--keep-tag <tag,…>', 'keep snapshots with all of these tags (repeatable)', collect, []);
}

export function rulesOf(options: KeepOptions): KeepRules {
  const rules = {
    last: options.keepLast,
    hourly: options.keepHourly,
    daily: options.keepDaily,
    weekly: options.keepWeekly,
    monthly: options.keepMonthly,
    yearly: options.keepYearly,
    within: options.keepWithin,
    withinHourly: options.keepWithinHourly,
    withinDaily: options.keepWithinDaily,
    withinWeekly: options.keepWithinWeekly,
    withinMonthly: options.keepWithinMonthly,
    withinYearly: options.keepWithinYearly,
  };
  const given = Object.entries(rules).filter(([, value]) => value !== undefined);
  return { ...(Object.fromEntries(given) as KeepRules), tags: options.keepTag };
}

/** A number of snapshots to keep; `unlimited` keeps all. */
export function parseCount(text: string): number {
  if (text === 'unlimited' || text === '-1') return Infinity;
  const parsed = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(parsed)) return parsed;
  throw new InvalidArgumentError('It must be a whole number, or unlimited.');
}
