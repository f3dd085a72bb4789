import { hasRepository } from '../domain/plan.ts';
import { mapping } from './written.ts';

/**
 * Whether plans have archives and no repository, as far as a file tells that nobody has checked yet. Not for what must be
 * right: for what may begin early.
 * @param names of plans, or addresses; none: all plans
 * @param content of the configuration as it was written
 */
export function goToArchivesAlone(names: readonly string[], content: unknown): boolean {
  const plans = mapping(mapping(content)['plans']);
  const meant = names.length === 0 ? Object.keys(plans) : names;
  return meant.length > 0 && meant.every((name) => Object.hasOwn(plans, name) && !hasRepository(mapping(plans[name])));
}
