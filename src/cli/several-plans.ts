/** Several plans of one command line: which of them, at once and one after the other, and what became of them. */
import { isProcessRunning } from '../compose.ts';
import type { NamedPlan } from '../config/named-plans.ts';
import type { ReadSecret } from '../config/secrets.ts';
import { hasRepository, type Plan } from '../domain/plan.ts';
import { RespaldoError, toRespaldoError } from '../errors.ts';
import { dueness, lastRunOf, type Dueness } from '../operations/due.ts';
import type { PlanRun } from '../operations/plan-run.ts';
import { runPlans } from '../operations/plan-runs.ts';
import type { BackupOptions } from './backup-options.ts';
import { report } from './errors.ts';
import { backupHost } from './identity.ts';
import { Statuses } from './output.ts';
import { backUpPlan, type Scene } from './plan-backup.ts';
import { harmless, quoted } from './printable.ts';
import { formatTime } from './units.ts';
import { planRunsMessage, planRunsTable, problemOf, statusOf, type ToldPlan } from './views/plan-runs.ts';

/** Plans that run at once where nobody says how many: each takes the memory of a backup. */
const JOBS = 2;

/** Each plan, and whether its time has come. What cannot be told counts as due: running it will tell why. */
export async function whichAreDue(
  plans: readonly NamedPlan[],
  { host = backupHost() }: Pick<BackupOptions, 'host'>,
  { invocation, repositories, recorder }: Scene,
): Promise<readonly ToldPlan[]> {
  const { clock, signal } = invocation;
  const told: ToldPlan[] = [];
  for (const plan of plans) {
    const location = await repositories.locationOf(plan);
    const { catalog } = recorder;
    const isAsked = plan.schedule !== undefined && hasRepository(plan);
    const ports = { catalog, isProcessRunning, ...(isAsked && { openRepository: () => repositories.of(plan) }) };
    const judged = async (): Promise<Dueness> =>
      dueness(plan, await lastRunOf({ plan: plan.name, host, location }, ports, signal), clock.now());
    const verdict = await judged().catch((error: unknown): Dueness => {
      if (signal.aborted) throw error;
      return { due: true, reason: toRespaldoError(error).message };
    });
    told.push({ name: plan.name, plan, dueness: verdict });
  }
  return told;
}

/**
 * Runs those that are due, tells what became of all, and sets the exit code to the worst.
 * @throws RespaldoError of those that failed, or `cancelled`
 */
export async function backUpPlans(chosen: readonly ToldPlan[], options: BackupOptions, scene: Scene): Promise<void> {
  const { invocation } = scene;
  const { output, clock, signal } = invocation;
  const due = chosen.filter((one) => one.dueness?.due !== false);
  for (const { name, dueness: verdict } of due)
    if (verdict?.due === true) output.detail(`${quoted(name)} is due: ${harmless(verdict.reason)}`);
  await scene.repositories.askAhead(due.map(({ plan }) => plan));
  const byName = new Map(due.map(({ name, plan }) => [name, plan]));
  const began = new Map<string, number>();
  const took = new Map<string, number>();
  const run = voices(byName, chosen.length > 1, options, {
    ...scene,
    around: { ...scene.around, readSecret: oneAtATime(scene.around.readSecret) },
  });
  const ends = await runPlans<PlanRun>(
    {
      plans: [...byName.keys()],
      dependencies: new Map(due.map(({ name, plan }) => [name, plan.dependsOn ?? []])),
      jobs: options.jobs ?? JOBS,
      run: (name) => {
        began.set(name, clock.monotonic());
        return run(name);
      },
      onEnd: (name, end) => {
        const start = began.get(name);
        if (start !== undefined) took.set(name, clock.monotonic() - start);
        if (end.state === 'skipped')
          output.alarm(`${name} is skipped: ${end.because}, which it depends on, did not succeed`);
      },
    },
    signal,
  );
  const told = chosen.map((one): ToldPlan => {
    const { name } = one;
    const [end, milliseconds] = [ends.get(name), took.get(name)];
    return { ...one, ...(end && { end }), ...(milliseconds !== undefined && { milliseconds }) };
  });
  finish(told, scene);
}

/** Each plan speaks with its name before each line, and tells at once why it failed, unless the command ends with that. */
function voices(
  plans: ReadonlyMap<string, Plan>,
  tellsFailures: boolean,
  options: BackupOptions,
  scene: Scene,
): (name: string) => Promise<PlanRun> {
  const { invocation } = scene;
  const statuses = new Statuses();
  return async (name) => {
    const plan = plans.get(name);
    if (plan === undefined) throw new RespaldoError('internal', `nobody knows the plan ${name}`);
    const isAlone = plans.size === 1 && !invocation.output.mode.json;
    const output = isAlone ? invocation.output : invocation.output.of(name, statuses);
    // The exit code is that of all together.
    const own = { ...scene, invocation: { ...invocation, output, exit: () => undefined } };
    try {
      const run = await backUpPlan(plan, options, own);
      if (run.aftermath !== undefined && tellsFailures) report(run.aftermath, output, invocation.signal);
      return run;
    } catch (error) {
      if (tellsFailures && !invocation.signal.aborted) report(error, output, invocation.signal);
      throw error;
    }
  };
}

function finish(told: readonly ToldPlan[], { invocation }: Scene): void {
  const { output, exit, signal } = invocation;
  const error = signal.aborted ? toRespaldoError(signal.reason) : worstOf(told);
  const isIncomplete = told.some((one) => statusOf(one) === 'incomplete');
  const code = error?.exit ?? (isIncomplete ? 3 : 0);
  output.json(planRunsMessage(told, code));
  // Whoever has it run by cron wants silence: a mail is for failures.
  if (told.length > 1) output.note(planRunsTable(told, output));
  else for (const { name, dueness: verdict } of told) if (verdict?.due === false) output.note(notDue(name, verdict));
  if (error !== undefined) throw error;
  if (isIncomplete) exit(3);
}

function notDue(name: string, { next, isRunning }: Extract<Dueness, { due: false }>): string {
  if (isRunning === true) return `${quoted(name)} is being backed up by another process`;
  return `${quoted(name)} is not due: next ${next ? formatTime(next) : 'never'} (--all runs it now)`;
}

/** Of those that failed, in one; of one reason alone where all have the same. */
function worstOf(told: readonly ToldPlan[]): RespaldoError | undefined {
  const failed = told.filter((one) => ['failed', 'cancelled', 'skipped', 'not begun'].includes(statusOf(one)));
  if (failed.length === 0) return undefined;
  const ran = told.filter(({ end }) => end !== undefined);
  const errors = failed.flatMap((one) => problemOf(one) ?? []);
  const [first, ...others] = errors;
  if (told.length === 1 && first !== undefined) return first;
  const code = first !== undefined && others.every((error) => error.code === first.code) ? first.code : 'plans-failed';
  const names = failed.map(({ name }) => name).join(', ');
  const message = `${String(failed.length)} of ${String(ran.length)} plans failed: ${names}`;
  return new RespaldoError(code, message, { ...(first && { cause: first }) });
}

/** A command that prints a secret may ask a person: two at once would be one too many. */
function oneAtATime(readSecret: ReadSecret): ReadSecret {
  let last: Promise<unknown> = Promise.resolve();
  return (reference, signal) => {
    const next = last.then(() => readSecret(reference, signal));
    last = next.catch(() => undefined);
    return next;
  };
}
