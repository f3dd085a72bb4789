import type { KeepRules } from '../domain/plan.ts';
import type { KeepSetting } from './schema.ts';

/** The rules as the domain names them. */
export function keepRules(setting: KeepSetting): KeepRules {
  return {
    ...counts(setting),
    ...defined({
      within: setting.within,
      withinHourly: setting['within-hourly'],
      withinDaily: setting['within-daily'],
      withinWeekly: setting['within-weekly'],
      withinMonthly: setting['within-monthly'],
      withinYearly: setting['within-yearly'],
      tags: setting.tags,
    }),
  };
}

/** The rules as the file has them: `withinDaily` is written `within-daily`, and all of them `unlimited`. */
export function keepKeys(rules: KeepRules): Readonly<Record<string, unknown>> {
  const given = Object.entries(defined(rules)).filter(([, value]) => !Array.isArray(value) || value.length > 0);
  return Object.fromEntries(
    given.map(([rule, value]) => [
      rule.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
      value === Infinity ? 'unlimited' : value,
    ]),
  );
}

function counts({ last, hourly, daily, weekly, monthly, yearly }: KeepSetting): Partial<Record<string, number>> {
  const given = defined({ last, hourly, daily, weekly, monthly, yearly });
  return Object.fromEntries(
    Object.entries(given).map(([rule, count]) => [rule, count === 'unlimited' ? Infinity : count]),
  );
}

/** Without the keys that hold nothing. */
function defined<T extends object>(record: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
