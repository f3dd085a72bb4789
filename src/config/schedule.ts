import { Cron } from 'croner';

/** What is wrong with a cron expression; nothing if it is one that will ever be due. */
export function scheduleComplaint(text: string): string | undefined {
  try {
    const cron = new Cron(text, { mode: '5-part', paused: true });
    if (cron.getOnce() !== null) throw new TypeError('a date is due but once');
    return cron.nextRun(new Date(0)) === null ? `"${text}" is never due` : undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : String(error);
    return `must be minute, hour, day, month and weekday such as 0 2 * * *, or a word such as @daily (${why})`;
  }
}
