import { CALENDAR_CLASSES } from '../domain/calendar.ts';
import type { CalendarRules } from '../domain/plan.ts';
import type { CalendarSetting } from './schema.ts';

/** The rules as the domain names them. */
export function calendarRules(setting: CalendarSetting): CalendarRules {
  const counts = CALENDAR_CLASSES.map((name) => [name, setting[name] === 'unlimited' ? Infinity : setting[name]]);
  return Object.fromEntries(counts) as CalendarRules;
}
