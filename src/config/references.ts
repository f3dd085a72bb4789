import { HOOK_STAGES } from '../domain/hook.ts';
import { ringOf } from '../domain/plan-order.ts';
import { archiveComplaints } from './archive-references.ts';
import type { Path } from './place.ts';
import { didYouMean } from './suggest.ts';
import type { Complaint } from './wording.ts';
import { isMapping, isWritten, mapping, misnamed, splittable } from './written.ts';

/** What something of a configuration has an address for. */
export type AddressUse = 'source' | 'repository' | 'archive';

/** What only the rest of the program knows about addresses. Each says what is wrong with one, or nothing. */
export interface AddressChecks {
  readonly source: (address: string) => Promise<string | undefined>;
  readonly store: (address: string, use: AddressUse) => Promise<string | undefined>;
}

/**
 * What a schema cannot see: names that point to nothing, addresses that nobody understands. Reads the file as it was
 * written, valid or not, so that these problems are told together with the schema's.
 */
export async function checkReferences(content: unknown, check: AddressChecks): Promise<readonly Complaint[]> {
  const complaints: Complaint[] = [];
  for (const finding of references(content)) complaints.push(finding);
  for (const { value, path, use } of addresses(content)) {
    const message = await (use === 'source' ? check.source(value) : check.store(value, use));
    if (message !== undefined) complaints.push({ path, part: 'value', message });
  }
  return complaints;
}

function* references(content: unknown): Generator<Complaint> {
  const root = mapping(content);
  const repositories = Object.entries(mapping(root.repositories));
  const names = repositories.map(([name]) => name);
  const preferred = mapping(root.defaults).repository;
  const hasDefault = preferred !== undefined || names.length === 1;
  yield* misnamed(names, 'repositories');
  yield* misnamed(Object.keys(mapping(root.plans)), 'plans');
  yield* known(preferred, names, ['defaults', 'repository']);
  for (const [name, repository] of repositories) {
    const { password, credentials } = mapping(repository);
    yield* splittable(password, ['repositories', name, 'password']);
    for (const [key, secret] of Object.entries(mapping(credentials)))
      yield* splittable(secret, ['repositories', name, 'credentials', key]);
  }
  for (const [name, plan] of Object.entries(mapping(root.plans))) {
    yield* known(mapping(plan).repository, names, ['plans', name, 'repository']);
    if (!hasDefault) yield* ambiguous(plan, names, ['plans', name]);
    for (const { source, path } of sources(mapping(plan).source, ['plans', name, 'source']))
      yield* splittable(mapping(source).password, [...path, 'password']);
    yield* hooks(plan, ['plans', name]);
  }
  yield* misordered(mapping(root.plans));
  yield* archiveComplaints(content);
}

/** Hooks inside of nothing, and their secrets. */
function* hooks(plan: unknown, path: Path): Generator<Complaint> {
  const { hooks: stages, runtime } = mapping(plan);
  for (const stage of HOOK_STAGES) {
    for (const { source: hook, path: at } of sources(mapping(stages)[stage], [...path, 'hooks', stage])) {
      const { inside, http, env } = mapping(hook);
      const message = 'the plan has no runtime docker or kubernetes to be inside of: write command instead';
      if (inside !== undefined && !isMapping(runtime)) yield { path: [...at, 'inside'], part: 'key', message };
      yield* splittable(mapping(http).url, [...at, 'http', 'url']);
      for (const [name, secret] of Object.entries(mapping(env))) yield* splittable(secret, [...at, 'env', name]);
      for (const [name, secret] of Object.entries(mapping(mapping(http).headers)))
        yield* splittable(secret, [...at, 'http', 'headers', name]);
    }
  }
}

/** Plans that wait for nobody, for themselves, or for each other. */
function* misordered(plans: Readonly<Record<string, unknown>>): Generator<Complaint> {
  const names = Object.keys(plans);
  const waiting = names.map((name) => {
    const awaited = mapping(plans[name])['depends-on'];
    return [name, Array.isArray(awaited) ? awaited.filter(isWritten) : []] as const;
  });
  for (const [name, awaited] of waiting) {
    for (const [at, other] of awaited.entries()) {
      const path = ['plans', name, 'depends-on', at];
      if (!names.includes(other))
        yield { path, part: 'value', message: `there is no plan ${other}${didYouMean(other, names)}` };
    }
  }
  const ring = ringOf(new Map(waiting));
  const [first, second] = ring ?? [];
  if (ring === undefined || first === undefined) return;
  const at = (new Map(waiting).get(first) ?? []).indexOf(second ?? first);
  const message = `these wait for each other: ${[...ring, first].join(' → ')}`;
  yield { path: ['plans', first, 'depends-on', at], part: 'value', message };
}

function* addresses(content: unknown): Generator<{ value: string; path: Path; use: AddressUse }> {
  const root = mapping(content);
  for (const [name, repository] of Object.entries(mapping(root.repositories))) {
    const { url } = mapping(repository);
    if (isWritten(url)) yield { value: url, path: ['repositories', name, 'url'], use: 'repository' };
  }
  for (const [name, archive] of Object.entries(mapping(root.archives))) {
    const { url } = mapping(archive);
    if (isWritten(url)) yield { value: url, path: ['archives', name, 'url'], use: 'archive' };
  }
  for (const [name, plan] of Object.entries(mapping(root.plans))) {
    for (const { source, path } of sources(mapping(plan).source, ['plans', name, 'source'])) {
      const { address } = mapping(source);
      if (isWritten(source)) yield { value: source, path, use: 'source' };
      else if (isWritten(address)) yield { value: address, path: [...path, 'address'], use: 'source' };
    }
  }
}

function* sources(source: unknown, path: Path): Generator<{ source: unknown; path: Path }> {
  if (!Array.isArray(source)) yield { source, path };
  else for (const [at, one] of source.entries()) yield { source: one as unknown, path: [...path, at] };
}

function* known(name: unknown, names: readonly string[], path: Path): Generator<Complaint> {
  if (!isWritten(name) || names.includes(name)) return;
  const there = names.length === 0 ? '; none is defined under repositories' : didYouMean(name, names);
  yield { path, part: 'value', message: `there is no repository ${name}${there}` };
}

/**
 * Where the file has no repository at all, the command line or the environment names it; a plan that goes to archives
 * needs none.
 */
function* ambiguous(plan: unknown, names: readonly string[], path: Path): Generator<Complaint> {
  const [first] = names;
  if (first === undefined || !isMapping(plan) || plan.repository !== undefined || plan.archives !== undefined) return;
  const message = `names no repository, and there are several (${names.join(', ')}): add repository: ${first}, or defaults: { repository: ${first} }`;
  yield { path, part: 'key', message };
}
