import type { Snapshot } from '../domain/snapshot.ts';
import type { ListedNode, Repository } from '../repository/repository.ts';

export interface SearchPorts {
  readonly repository: Pick<Repository, 'list'>;
}

/** What a search looks for. */
export interface Aim<Hit> {
  /** What the root itself is worth, which no entry of the listing stands for. */
  readonly rootHits?: (tree: string) => readonly Hit[];
  /** What an entry is worth. @param tree id of the tree that it is in */
  readonly hits: (node: ListedNode, tree: string) => readonly Hit[];
  /** Whether there can be a hit below the folder. */
  readonly mayBeBelow: (folder: ListedNode) => boolean;
  /** Whether the same tree may hold a hit at one path and none at another. */
  readonly dependsOnPath: boolean;
}

/** A folder that the walk is in. */
interface OpenFolder {
  readonly path: string;
  readonly tree: string;
  fruitful: boolean;
}

/**
 * Searches the snapshots one by one. Trees without a hit are remembered: however many snapshots share one, it is walked
 * once.
 */
export async function* search<Hit>(
  snapshots: readonly Snapshot[],
  aim: Aim<Hit>,
  { repository }: SearchPorts,
  signal: AbortSignal,
): AsyncGenerator<{ readonly snapshot: Snapshot; readonly hit: Hit }, void, undefined> {
  const barren = new BarrenTrees(aim.dependsOnPath);
  for (const snapshot of snapshots) {
    for (const hit of aim.rootHits?.(snapshot.tree) ?? []) yield { snapshot, hit };
    if (barren.has(snapshot.tree, '')) continue;
    const walk = new Walk(snapshot.tree, barren);
    const enter = (folder: ListedNode): boolean =>
      aim.mayBeBelow(folder) && !barren.has(folder.subtree ?? '', folder.path);
    for await (const node of repository.list(snapshot, { enter }, signal)) {
      const hits = aim.hits(node, walk.at(node).tree);
      if (hits.length > 0) walk.found();
      for (const hit of hits) yield { snapshot, hit };
      walk.open(node);
    }
    walk.end();
  }
}

/** The folders on the way to where a listing is. */
class Walk {
  readonly #barren: BarrenTrees;
  readonly #way: OpenFolder[];

  constructor(root: string, barren: BarrenTrees) {
    this.#barren = barren;
    this.#way = [{ path: '', tree: root, fruitful: false }];
  }

  /** Leaves the folders that end before this entry. @returns the folder that it is in */
  at({ path }: ListedNode): OpenFolder {
    let folder = this.#way.at(-1);
    while (folder !== undefined && !path.startsWith(`${folder.path}/`)) {
      this.#leave();
      folder = this.#way.at(-1);
    }
    if (folder === undefined) throw new RangeError(`${path} is not below the root`);
    return folder;
  }

  found(): void {
    const folder = this.#way.at(-1);
    if (folder !== undefined) folder.fruitful = true;
  }

  open({ path, subtree }: ListedNode): void {
    if (subtree !== undefined) this.#way.push({ path, tree: subtree, fruitful: false });
  }

  end(): void {
    while (this.#way.length > 0) this.#leave();
  }

  #leave(): void {
    const folder = this.#way.pop();
    if (folder === undefined) return;
    if (folder.fruitful) this.found();
    else this.#barren.add(folder.tree, folder.path);
  }
}

/** Trees that are known to hold no hit. */
class BarrenTrees {
  readonly #dependsOnPath: boolean;
  readonly #known = new Set<string>();

  constructor(dependsOnPath: boolean) {
    this.#dependsOnPath = dependsOnPath;
  }

  has(tree: string, path: string): boolean {
    return this.#known.has(this.#keyOf(tree, path));
  }

  add(tree: string, path: string): void {
    this.#known.add(this.#keyOf(tree, path));
  }

  #keyOf(tree: string, path: string): string {
    return this.#dependsOnPath ? tree + path : tree;
  }
}
