/** A name that no database has, for what an archive holds beside databases: `globals`, or `globals-`. */
export function freeName(wanted: string, databases: readonly { readonly name: string }[]): string {
  const taken = new Set(databases.map(({ name }) => name));
  return taken.has(wanted) ? freeName(`${wanted}-`, databases) : wanted;
}
