/** Where each backup target lands in the snapshot's tree, by restic's rules. Pure: nothing is read from the disk. */
import { posix } from 'node:path';
import { RespaldoError } from '../../errors.ts';

/** A folder of the snapshot above the targets: its metadata come from `local`, its content is only what leads to a target. */
export interface TargetFolder {
  readonly kind: 'folder';
  readonly local: string;
  readonly children: Map<string, TargetFolder | TargetLeaf>;
}

/** A target: everything at the local path goes in here. */
export interface TargetLeaf {
  readonly kind: 'leaf';
  readonly local: string;
}

/** Absolute targets keep their whole chain of parents; relative ones theirs, without leading `..`. */
export function planTargets(targets: readonly string[], workingDirectory: string): TargetFolder {
  const root = newFolder('/');
  const roots = new Map<string, string>();
  for (const target of new Set(targets.map(clean))) {
    const components = target.split('/').filter((part) => part !== '' && part !== '.' && part !== '..');
    const [first, ...rest] = components;
    if (first === undefined)
      throw new RespaldoError('usage', `the folder ${target} cannot be placed in a snapshot by itself`);
    const origin = originOf(target, workingDirectory);
    const name = freeName(first, origin, roots);
    place(root, [name, ...rest], posix.join(origin, first), posix.resolve(workingDirectory, target));
  }
  return root;
}

/** Whether a target has no name of its own (`.`, `..`, `/`), so that what it contains has to stand for it. */
export function isNameless(target: string): boolean {
  return clean(target)
    .split('/')
    .every((part) => part === '' || part === '.' || part === '..');
}

/** The folder of the plan at an absolute local path; undefined if no target is in it. */
export function folderAt(plan: TargetFolder, local: string): TargetFolder | undefined {
  let folder: TargetFolder | TargetLeaf | undefined = plan;
  for (const name of local.split('/').slice(1))
    folder = folder?.kind === 'folder' ? folder.children.get(name) : undefined;
  return folder?.kind === 'folder' ? folder : undefined;
}

function clean(target: string): string {
  const normal = posix.normalize(target);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

/** The local folder that holds the target's first component. */
function originOf(target: string, workingDirectory: string): string {
  if (target.startsWith('/')) return '/';
  const up = target.split('/').filter((part) => part === '..');
  return posix.resolve(workingDirectory, ...up);
}

/** Two targets from different folders may share their first component: the later one gets `-1`, `-2` … */
function freeName(first: string, origin: string, roots: Map<string, string>): string {
  for (let n = 0; ; n++) {
    const name = n === 0 ? first : `${first}-${String(n)}`;
    const taken = roots.get(name);
    if (taken !== undefined && taken !== origin) continue;
    roots.set(name, origin);
    return name;
  }
}

function place(root: TargetFolder, path: readonly string[], firstLocal: string, local: string): void {
  let folder = root;
  let folderLocal = firstLocal;
  for (const [depth, name] of path.entries()) {
    const here = depth === 0 ? firstLocal : posix.join(folderLocal, name);
    const existing = folder.children.get(name);
    // A target inside another target is already covered by it.
    if (existing?.kind === 'leaf') return;
    if (depth === path.length - 1) {
      folder.children.set(name, { kind: 'leaf', local });
      return;
    }
    const next = existing ?? newFolder(here);
    folder.children.set(name, next);
    folder = next;
    folderLocal = here;
  }
}

function newFolder(local: string): TargetFolder {
  return { kind: 'folder', local, children: new Map() };
}
