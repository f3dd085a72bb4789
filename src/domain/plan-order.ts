/** Which plan waits for which others, by their names. */
export type Dependencies = ReadonlyMap<string, readonly string[]>;

/** Where a plan of several stands. `idle`: it has not begun. */
export type Standing = 'idle' | 'running' | 'done' | 'failed' | 'skipped';

export interface NextSteps {
  /** In the order in which they were given. */
  readonly start: readonly string[];
  /** What cannot be run any more, and the plan that it waited for in vain. */
  readonly skip: readonly { readonly name: string; readonly because: string }[];
}

/**
 * Which plans may begin, and which never will. A plan waits only for those that are run as well: what nobody runs now
 * stops nobody.
 */
export function nextSteps(dependencies: Dependencies, standings: ReadonlyMap<string, Standing>): NextSteps {
  const start: string[] = [];
  const skip: { name: string; because: string }[] = [];
  for (const [name, standing] of standings) {
    if (standing !== 'idle') continue;
    const awaited = (dependencies.get(name) ?? []).filter((other) => standings.has(other));
    const because = awaited.find((other) => ['failed', 'skipped'].includes(standings.get(other) ?? ''));
    if (because !== undefined) skip.push({ name, because });
    else if (awaited.every((other) => standings.get(other) === 'done')) start.push(name);
  }
  return { start, skip };
}

/** Plans that wait for each other in a ring, each for the next and the last for the first; undefined: there are none. */
export function ringOf(dependencies: Dependencies): readonly string[] | undefined {
  const harmless = new Set<string>();
  const path: string[] = [];
  const visit = (name: string): readonly string[] | undefined => {
    if (harmless.has(name)) return undefined;
    const seen = path.indexOf(name);
    if (seen !== -1) return path.slice(seen);
    path.push(name);
    for (const other of dependencies.get(name) ?? []) {
      const ring = visit(other);
      if (ring !== undefined) return ring;
    }
    path.pop();
    harmless.add(name);
    return undefined;
  };
  for (const name of dependencies.keys()) {
    const ring = visit(name);
    if (ring !== undefined) return ring;
  }
  return undefined;
}
