import { hostRuntime, openRuntimeOf } from '../compose.ts';
import { hasHooks } from '../domain/hook.ts';
import type { Plan } from '../domain/plan.ts';
import type { RespaldoError } from '../errors.ts';
import type { PlanRun } from '../operations/plan-run.ts';
import type { Invocation } from './invocation.ts';
import type { Output } from './output.ts';
import { harmless } from './printable.ts';
import type { Surroundings } from './session.ts';

/** Does the work with the hooks of the plan around it, and tells of them. @throws what stopped it */
export async function hooked(
  plan: Plan,
  run: PlanRun,
  work: () => Promise<PlanRun>,
  { invocation, around }: { readonly invocation: Invocation; readonly around: Surroundings },
): Promise<void> {
  if (!hasHooks(plan.hooks)) {
    await work();
    return;
  }
  // Loaded here: most plans have none.
  const [{ withHooks }, { perform }] = await Promise.all([
    import('../operations/hooks/around.ts'),
    import('../operations/hooks/perform.ts'),
  ]);
  const { clock, output, signal } = invocation;
  const ports = {
    host: await hostRuntime(),
    inside: await openRuntimeOf(plan, process.env, clock),
    folder: plan.folder,
    readSecret: around.readSecret,
    clock,
    onBegin: (stage: string, what: string) => output.note(`hook ${stage}: ${harmless(what)}`),
    onOutput: (text: string) => output.detail(harmless(text)),
  };
  await withHooks(
    plan.hooks,
    { soFar: () => run.soFar, work: async () => (await work()).state },
    {
      perform: (hook, stage, state, until) => perform(hook, stage, state, ports, until),
      onFailure: (failure) => {
        run.spoil(failure);
        tellFailure(failure, output);
      },
    },
    signal,
  );
}

/** The run goes on. */
function tellFailure({ message, hint }: RespaldoError, output: Output): void {
  output.alarm(message);
  if (hint !== undefined && !output.mode.json) output.error(harmless(hint));
  output.jsonError({ message_type: 'error', error: { message }, during: 'hook', item: '' });
}
