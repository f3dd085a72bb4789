import type { Plan } from '../domain/plan.ts';
import type { Repository } from '../repository/repository.ts';
import type { Invocation } from './invocation.ts';
import { accessTo, openAt, type Surroundings } from './session.ts';

/** The repositories that several plans of one command line go to: each is opened once. */
export class OpenRepositories implements AsyncDisposable {
  readonly #invocation: Invocation;
  readonly #around: Surroundings;
  readonly #open = new Map<string, Repository>();

  constructor(invocation: Invocation, around: Surroundings) {
    this.#invocation = invocation;
    this.#around = around;
  }

  async of(plan: Plan): Promise<Repository> {
    const access = await accessTo(this.#invocation, this.#around, undefined, plan);
    const known = this.#open.get(access.url);
    if (known !== undefined) return known;
    const repository = await openAt(access, this.#invocation, this.#around);
    this.#open.set(access.url, repository);
    return repository;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const repository of this.#open.values()) await repository.close();
  }
}
