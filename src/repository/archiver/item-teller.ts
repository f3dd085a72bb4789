/** Tells whoever asked what became of each entry of a local tree, under the names that it has in the snapshot. */
import { systemClock } from '../../clock.ts';
import { posix } from 'node:path';
import type { Id } from '../format/id.ts';
import type { SavedItem } from '../repository.ts';
import type { Added, ReadItem } from './protocol.ts';

export class ItemTeller {
  readonly #tell: ((item: SavedItem) => void) | undefined;
  /** Where each target lies in the snapshot, by its local path. */
  readonly #places = new Map<string, string>();

  constructor(tell: ((item: SavedItem) => void) | undefined) {
    this.#tell = tell;
  }

  target(local: string, path: string): void {
    if (this.#tell !== undefined) this.#places.set(local, path);
  }

  /** What a worker has noted. */
  items(items: readonly ReadItem[]): void {
    for (const { local, action, added, milliseconds } of items)
      this.#tell?.({ path: action === 'excluded' ? local : this.placeOf(local), action, added, milliseconds });
  }

  /** `began`: of the monotonic clock. */
  file(local: string, action: ReadItem['action'], added: Added, began: number): void {
    this.items([{ local, action, added, milliseconds: systemClock.monotonic() - began }]);
  }

  folder(local: string, id: Id, previous: Id | undefined, added: Added, began: number): void {
    const milliseconds = systemClock.monotonic() - began;
    this.#tell?.({ path: `${this.placeOf(local)}/`, action: standingOf(id, previous), added, milliseconds });
  }

  /** The nearest target at or above the path says where it lies. */
  placeOf(local: string): string {
    for (let at = local; ; at = posix.dirname(at)) {
      const place = this.#places.get(at);
      if (place !== undefined) return place + local.slice(at.length);
      if (at === '/') return local;
    }
  }
}

/** Of a folder, by its tree and that of the parent snapshot. */
export function standingOf(id: Id, previous: Id | undefined): SavedItem['action'] {
  if (previous === undefined) return 'new';
  return id === previous ? 'unchanged' : 'modified';
}
