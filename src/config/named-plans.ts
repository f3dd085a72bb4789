import { hasRepository, type Plan } from '../domain/plan.ts';
import { RespaldoError } from '../errors.ts';
import type { Config } from './config.ts';
import { didYouMean } from './suggest.ts';

/** A plan of the configuration. */
export type NamedPlan = Plan & { readonly name: string };

/** The plans of these names; without names every plan. @throws RespaldoError `config`, `usage` for a name of none */
export function namedPlans(names: readonly string[], config: Config | undefined): readonly NamedPlan[] {
  const plans = [...(config?.plans ?? [])].map(([name, plan]) => ({ ...plan, name }));
  if (plans.length === 0) {
    throw new RespaldoError('config', 'there is no plan: respaldo.yaml is missing here and above, or has none', {
      hint: 'docs/guides/configuration.md shows how to write one; --config FILE names another file.',
    });
  }
  if (names.length === 0) return plans;
  return [...new Set(names)].map((name) => {
    const plan = plans.find((candidate) => candidate.name === name);
    if (plan !== undefined) return plan;
    const known = plans.map((candidate) => candidate.name);
    throw new RespaldoError('usage', `there is no plan ${name} in respaldo.yaml${didYouMean(name, known)}`, {
      hint: `The plans there: ${known.join(', ')}.`,
    });
  });
}

/**
 * The same of plans that go to a repository: those that go to archives alone have no snapshots.
 * @throws RespaldoError as {@link namedPlans}, and `usage` for the name of another plan
 */
export function repositoryPlans(names: readonly string[], config: Config | undefined): readonly NamedPlan[] {
  const plans = namedPlans(names, config);
  const other = plans.find((plan) => !hasRepository(plan));
  if (other === undefined) return plans;
  if (names.length === 0) return plans.filter(hasRepository);
  throw new RespaldoError('usage', `the plan ${other.name} goes to archives alone, and has no snapshots`, {
    hint: 'Its files: respaldo archive list',
  });
}
