import { RespaldoError } from '../errors.ts';
import type { Output } from './output.ts';

/**
 * Whether somebody can be asked: a terminal on both sides, and neither `--json` nor `--quiet`. What was said until now is
 * then shown, so that it stands before the question.
 */
export function canAsk(output: Output): boolean {
  const isSomebodyThere = process.stdin.isTTY && output.interactive;
  if (isSomebodyThere) output.flush();
  return isSomebodyThere;
}

/** Asks for a password without showing it. @throws RespaldoError `cancelled` */
export async function askPassword(question: string, signal: AbortSignal): Promise<string> {
  const { password, isCancel } = await prompts();
  const answer = await password({ message: question, output: process.stderr, signal });
  if (isCancel(answer)) throw cancelled();
  return answer;
}

/** Asks for a new password, twice. @throws RespaldoError `cancelled`, `usage` if the two differ */
export async function askNewPassword(question: string, signal: AbortSignal): Promise<string> {
  const first = await askPassword(question, signal);
  const second = await askPassword('the same once more', signal);
  if (first === second) return first;
  throw new RespaldoError('usage', 'the two passwords are not the same', { hint: 'Nothing was changed. Try again.' });
}

/** Asks for a line of text. @throws RespaldoError `cancelled` */
export async function askText(question: string, signal: AbortSignal): Promise<string> {
  const { text, isCancel } = await prompts();
  const answer = await text({ message: question, output: process.stderr, signal });
  if (isCancel(answer)) throw cancelled();
  return answer;
}

/** One of a list, which is scrolled where it is long. @throws RespaldoError `cancelled` */
export async function choose<T>(
  question: string,
  options: readonly { readonly value: T; readonly label: string }[],
  signal: AbortSignal,
): Promise<T> {
  const { select, isCancel } = await prompts();
  const places = options.map(({ label }, value) => ({ value, label }));
  const answer = await select({ message: question, options: places, maxItems: 12, output: process.stderr, signal });
  const chosen = isCancel(answer) ? undefined : options[answer];
  if (chosen === undefined) throw cancelled();
  return chosen.value;
}

/** A yes-or-no question whose default is no. @throws RespaldoError `cancelled` */
export async function confirm(question: string, signal: AbortSignal): Promise<boolean> {
  const { confirm: ask, isCancel } = await prompts();
  const answer = await ask({ message: question, initialValue: false, output: process.stderr, signal });
  if (isCancel(answer)) throw cancelled();
  return answer;
}

/** Somebody who was asked said no. */
export function notRestored(): RespaldoError {
  return new RespaldoError('cancelled', 'not restored: nothing was changed');
}

/** Ctrl-D would only end the reading: nobody would ever answer, and the program would end as if all had gone well. */
async function prompts() {
  const clack = await import('@clack/prompts');
  clack.updateSettings({ aliases: { '\u0004': 'cancel' } });
  return clack;
}

/** Ctrl-C, Ctrl-D or Escape. */
function cancelled(): RespaldoError {
  return new RespaldoError('cancelled', 'interrupted: the question was not answered');
}
