interface Programs {
  readonly views: readonly Program[];
  readonly routines: readonly Program[];
  readonly triggers: readonly Program[];
  readonly events: readonly Program[];
}
type Program = { readonly definer: string };

/** Accounts, `user@host`, by whose rights what databases hold beside tables acts; sorted. Pure. */
export function definersOf(databases: readonly Programs[]): readonly string[] {
  const programs = databases.flatMap(({ views, routines, triggers, events }) => [
    ...views,
    ...routines,
    ...triggers,
    ...events,
  ]);
  return [...new Set(programs.map(({ definer }) => definer))].toSorted();
}
