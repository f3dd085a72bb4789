/** Two repositories, and what must be in them. */
import { expect } from 'vitest';
import { RespaldoError } from '../../src/errors.ts';
import type { Snapshot } from '../../src/domain/snapshot.ts';
import { copy } from '../../src/repository/copier/copy.ts';
import { OpenedRepository } from '../../src/repository/opened-repository.ts';
import { repairIndex } from '../../src/repository/repairer/repair-index.ts';
import { repairPacks } from '../../src/repository/repairer/repair-packs.ts';
import { rewrite } from '../../src/repository/rewriter/rewrite.ts';
import { loadSnapshots } from '../../src/repository/snapshots.ts';
import { removeLocks } from '../../src/repository/storage/locks.ts';
import { listPacks, objectKey } from '../../src/repository/storage/objects.ts';
import { tag } from '../../src/repository/tags.ts';
import { MemoryStore } from '../../src/stores/memory.ts';
import { BareRepository } from '../fixtures/bare-repository.ts';
import { asRead, type Files, NEVER, saveFiles } from '../fixtures/repository.ts';
import { type Mishap, suffering } from './mishap.ts';

/** A snapshot has its label as its only path: it stays the same under other tags, and in other repositories. */
type Label = string;

type Content = Readonly<Record<string, string>>;

interface Expected {
  /** What may be in it, in the form in which it is read. Several: a rewrite may have left the old one beside the new. */
  readonly contents: readonly Content[];
  /** `maybe`: whatever wanted to write or to remove it did not come to its end. */
  readonly presence: 'yes' | 'maybe' | 'no';
}

class Place {
  readonly store = new MemoryStore();
  readonly repository: BareRepository;
  readonly expected = new Map<Label, Expected>();

  constructor(version: 1 | 2) {
    this.repository = new BareRepository(this.store, version);
  }

  get labels(): Label[] {
    return [...this.expected].filter(([, { presence }]) => presence !== 'no').map(([label]) => label);
  }

  /** The repository as one process sees it. */
  seenBy(mishap: Mishap, isSlow: boolean): BareRepository {
    return this.repository.in(suffering(this.store, mishap, isSlow));
  }

  expect(
    label: Label,
    presence: Expected['presence'],
    contents: readonly Content[] = this.expected.get(label)?.contents ?? [],
  ): void {
    this.expected.set(label, { contents, presence });
  }
}

export type Side = 0 | 1;

export type Operation =
  | { readonly kind: 'save'; readonly at: Side; readonly files: Files; readonly wholly: boolean }
  | { readonly kind: 'forget' | 'tag'; readonly at: Side; readonly picks: readonly number[] }
  | { readonly kind: 'rewrite'; readonly at: Side; readonly picks: readonly number[]; readonly forget: boolean }
  /** Index files vanish, and a new index is made from the packs. */
  | { readonly kind: 'repair'; readonly at: Side; readonly picks: readonly number[]; readonly readAllPacks: boolean }
  /** Packs are taken for damaged, and what can be saved of them is: all of it. */
  | { readonly kind: 'salvage'; readonly at: Side; readonly picks: readonly number[] }
  | { readonly kind: 'prune'; readonly at: Side; readonly maxUnused: number }
  | { readonly kind: 'copy'; readonly at: Side }
  | { readonly kind: 'check'; readonly at: Side; readonly readData: boolean };

/** An operation, and what befalls it. */
export interface Deed {
  readonly operation: Operation;
  readonly mishap: Mishap;
}

/** What can go wrong for somebody whose store fails, or who is not alone. Anything else is a defect of ours. */
const FAIR = ['store-broken', 'repository-locked', 'cancelled'];

export class World {
  readonly places: readonly [Place, Place];
  #saved = 0;

  constructor(versions: readonly [1 | 2, 1 | 2]) {
    this.places = [new Place(versions[0]), new Place(versions[1])];
  }

  /** Does the deeds, all at once; then everything must be as it should. */
  async step(deeds: readonly Deed[]): Promise<void> {
    const plans = deeds.map((deed) => this.#plan(deed, deeds.length > 1));
    for (const { unsure } of plans) unsure();
    for (const { unsureLater } of plans) unsureLater?.();
    const results = await Promise.allSettled(plans.map(({ work }) => work()));
    for (const [i, result] of results.entries()) {
      if (result.status === 'fulfilled') plans[i]?.done(deeds.length === 1);
      else expectFair(result.reason);
    }
    // A repair that did not come to its end is made again.
    for (const { at } of deeds.map(({ operation }) => operation).filter(({ kind }) => kind === 'repair'))
      await repairAgain(this.places[at].repository);
    for (const place of this.places) await settle(place);
  }

  /** Whatever happened before: a prune leaves nothing but what snapshots need, and every byte of it is right. */
  async end(): Promise<void> {
    for (const place of this.places) {
      await place.repository.prune(0);
      expect(await place.repository.findings(true)).toEqual([]);
      await settle(place);
    }
  }

  #plan({ operation, mishap }: Deed, isSlow: boolean): Plan {
    const place = this.places[operation.at];
    const repository = place.seenBy(mishap, isSlow);
    switch (operation.kind) {
      case 'save':
        return this.#planSave(place, repository, operation);
      case 'forget': {
        const labels = pick(place.labels, operation.picks);
        return {
          unsure: () => labels.forEach((label) => place.expect(label, 'maybe')),
          work: async () => repository.forget(...(await snapshotsOf(repository, labels))),
          done: (alone) => alone && labels.forEach((label) => place.expect(label, 'no')),
        };
      }
      case 'tag': {
        const labels = pick(place.labels, operation.picks);
        const change = { add: [`tag-${operation.picks[0] ?? 0}`], remove: ['tag-0', 'tag-1'] };
        return {
          ...NOTHING,
          work: async () => {
            const ids = (await snapshotsOf(repository, labels)).map(({ id }) => id);
            if (ids.length > 0) await tag(repository.context, { ids }, change, NEVER);
          },
        };
      }
      case 'rewrite':
        return this.#planRewrite(place, repository, operation);
      case 'repair':
        return {
          ...NOTHING,
          work: async () => {
            const { readAllPacks, picks } = operation;
            await loseIndexes(place, picks);
            await repairIndex(repository.context, { readAllPacks }, NEVER);
          },
        };
      case 'salvage':
        return {
          ...NOTHING,
          work: async () => {
            const packs = (await Array.fromAsync(listPacks(place.store, NEVER))).map(({ id }) => id).sort();
            const keepCopy = () => Promise.resolve();
            await repairPacks(repository.context, pick(packs, operation.picks), { keepCopy }, NEVER);
          },
        };
      case 'prune':
        return { ...NOTHING, work: () => repository.prune(operation.maxUnused) };
      case 'copy':
        return this.#planCopy(place, this.places[operation.at === 0 ? 1 : 0].seenBy(mishap, isSlow), repository);
      case 'check':
        return { ...NOTHING, work: () => expectSound(repository, operation.readData, mishap) };
    }
  }

  #planSave(place: Place, repository: BareRepository, { files, wholly }: Operation & { kind: 'save' }): Plan {
    const label = `/${++this.#saved}`;
    const placed = Object.fromEntries(Object.entries(files).map(([path, content]) => [`${label}${path}`, content]));
    const about = { paths: [label], time: new Date(1_700_000_000_000 + this.#saved * 1000) };
    return {
      unsure: () => place.expect(label, 'maybe', [asRead(placed)]),
      work: () =>
        wholly
          ? saveFiles(new OpenedRepository(repository.context, '', undefined), placed, about)
          : repository.saveLocked(placed, about),
      done: () => place.expect(label, 'yes'),
    };
  }

  #planRewrite(place: Place, repository: BareRepository, { picks, forget }: Operation & { kind: 'rewrite' }): Plan {
    const labels = pick(place.labels, picks);
    const after = new Map(labels.map((label) => [label, (place.expected.get(label)?.contents ?? []).map(withoutSub)]));
    return {
      unsure: () => {
        for (const [label, contents] of after) {
          const { presence, contents: before } = place.expected.get(label) ?? { presence: 'maybe', contents: [] };
          place.expect(label, presence, [...before, ...contents]);
        }
      },
      work: async () => {
        const ids = (await snapshotsOf(repository, labels)).map(({ id }) => id);
        const change = { exclude: ['/*/sub'] };
        if (ids.length > 0) await rewrite(repository.context, { ids }, change, { forget, dryRun: false }, NEVER);
      },
      done: (alone) => {
        if (alone && forget) for (const [label, contents] of after) place.expect(label, 'yes', contents);
      },
    };
  }

  #planCopy(target: Place, from: BareRepository, to: BareRepository): Plan {
    const source = this.places.find((place) => place !== target) ?? target;
    let before = new Map<Label, Expected>();
    return {
      unsure: () => undefined,
      unsureLater: () => {
        before = new Map(source.expected);
        for (const [label, { contents, presence }] of before) {
          if (presence === 'no') continue;
          const known = target.expected.get(label) ?? { contents: [], presence: 'maybe' };
          const isThere = known.presence !== 'no';
          target.expect(
            label,
            isThere ? known.presence : 'maybe',
            isThere ? [...known.contents, ...contents] : contents,
          );
        }
      },
      work: () => copy(from.context, to.context, {}, {}, NEVER),
      done: (alone) => {
        if (!alone) return;
        for (const [label, { presence }] of before) if (presence === 'yes') target.expect(label, 'yes');
      },
    };
  }
}

interface Plan {
  /** Before the work: what is certain no longer. */
  readonly unsure: () => void;
  /** The same, of what others of the same step may have brought about. */
  readonly unsureLater?: () => void;
  readonly work: () => Promise<unknown>;
  /** What is certain again once the work has succeeded, alone or beside others. */
  readonly done: (alone: boolean) => void;
}

const NOTHING: Omit<Plan, 'work'> = { unsure: () => undefined, done: () => undefined };

function pick(labels: readonly Label[], numbers: readonly number[]): Label[] {
  if (labels.length === 0) return [];
  return [...new Set(numbers.map((number) => labels[number % labels.length] ?? ''))];
}

async function snapshotsOf(repository: BareRepository, labels: readonly Label[]): Promise<Snapshot[]> {
  const all = await loadSnapshots(repository.context.objects, NEVER);
  return all.filter(({ paths }) => labels.includes(paths[0] ?? ''));
}

/** All but what lies in the folder `sub` at the top of the snapshot. */
function withoutSub(content: Content): Content {
  return Object.fromEntries(Object.entries(content).filter(([path]) => path.split('/')[2] !== 'sub'));
}

async function loseIndexes({ repository, store }: Place, picks: readonly number[]): Promise<void> {
  const ids = (await Array.fromAsync(repository.context.objects.list('index', NEVER))).map(({ id }) => id).sort();
  for (const id of pick(ids, picks)) await store.remove(objectKey('index', id), NEVER);
}

async function repairAgain({ context }: BareRepository): Promise<void> {
  await removeLocks(context.objects, true, context.clock, NEVER);
  await repairIndex(context, { readAllPacks: false }, NEVER);
}

/** What others left locked is opened; what the repository holds is what it should, and then it is certain. */
async function settle(place: Place): Promise<void> {
  const { repository, expected } = place;
  const { objects, clock } = repository.context;
  await removeLocks(objects, true, clock, NEVER);
  const found = new Map<Label, Content[]>();
  for (const snapshot of await loadSnapshots(objects, NEVER)) {
    const label = snapshot.paths[0] ?? '';
    const { contents, presence } = expected.get(label) ?? { contents: [], presence: 'no' };
    expect(presence, `whether ${label} is there`).not.toBe('no');
    const content = await repository.read(snapshot);
    expect(contents, `what ${label} may hold`).toContainEqual(content);
    found.set(label, [...(found.get(label) ?? []), content]);
  }
  for (const [label, { presence }] of expected) {
    const contents = found.get(label);
    if (presence === 'yes') expect(contents, `${label} is lost`).toBeDefined();
    place.expect(label, contents === undefined ? 'no' : 'yes', contents);
  }
  await expectSound(repository, false);
}

/** Nothing is wrong but what a killed process may leave behind, and what follows from packs that a store did not give. */
async function expectSound(repository: BareRepository, readData: boolean, mishap?: Mishap): Promise<void> {
  const findings = await repository.findings(readData);
  if (mishap?.kind === 'faults' && findings.some(({ code }) => code === 'pack-unreadable')) return;
  expect(findings.filter(({ code }) => code !== 'pack-unreferenced')).toEqual([]);
}

function expectFair(reason: unknown): void {
  if (!(reason instanceof RespaldoError) || !FAIR.includes(reason.code)) throw reason;
}
