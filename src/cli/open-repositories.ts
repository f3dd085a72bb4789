import { hasRepository, type Plan } from '../domain/plan.ts';
import { isError } from '../errors.ts';
import type { Repository, Soon } from '../repository/repository.ts';
import { archiveLocations } from './archive-locations.ts';
import type { Invocation } from './invocation.ts';
import { canAsk } from './prompt.ts';
import { accessTo, isPasswordMissing, locationFor, openAt, type Surroundings } from './session.ts';

/**
 * The repositories that several plans of one command line go to: each is opened once, one after the other, since a person
 * may be asked for a password.
 */
export class OpenRepositories implements AsyncDisposable {
  readonly #invocation: Invocation;
  readonly #around: Surroundings;
  readonly #soon: Soon | undefined;
  readonly #open = new Map<string, Repository>();
  #last: Promise<unknown> = Promise.resolve();

  /** @param soon what is going to be asked of each */
  constructor(invocation: Invocation, around: Surroundings, soon?: Soon) {
    this.#invocation = invocation;
    this.#around = around;
    this.#soon = soon;
  }

  /** As its `location` will be, whether or not it can be opened; of a plan without one, that of its first archive. */
  async locationOf(plan: Plan): Promise<string> {
    if (hasRepository(plan)) return locationFor(this.#invocation, this.#around, plan);
    return (await archiveLocations(plan, this.#around))[0] ?? '';
  }

  /**
   * Opens what a person has to be asked for, before the plans begin that would talk in between.
   * @throws RespaldoError `cancelled`, `wrong-password`; what else fails will fail again when the plan wants it
   */
  async askAhead(plans: readonly Plan[]): Promise<void> {
    if (!canAsk(this.#invocation.output)) return;
    for (const plan of plans) {
      try {
        if (hasRepository(plan) && (await isPasswordMissing(this.#invocation, this.#around, plan))) await this.of(plan);
      } catch (error) {
        if (isError(error, 'cancelled') || isError(error, 'wrong-password')) throw error;
      }
    }
  }

  of(plan: Plan): Promise<Repository> {
    const next = this.#last.then(() => this.#openOnce(plan));
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #openOnce(plan: Plan): Promise<Repository> {
    const location = await this.locationOf(plan);
    const known = this.#open.get(location);
    if (known !== undefined) return known;
    const access = await accessTo(this.#invocation, this.#around, undefined, plan);
    const repository = await openAt(access, this.#invocation, this.#around, this.#soon);
    this.#open.set(repository.location, repository);
    return repository;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const repository of this.#open.values()) await repository.close();
  }
}
