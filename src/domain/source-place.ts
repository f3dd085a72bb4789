/**
 * What stays the same of a source whichever of its databases are chosen: `/mysql/db:3306` of `/mysql/db:3306/databases/shop`.
 * @param path of the source's snapshots
 */
export function sourcePlace(path: string): string {
  return path.replace(/\/databases(\/[^/]*)?$/, '');
}
