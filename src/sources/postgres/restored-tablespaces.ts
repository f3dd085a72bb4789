import { join } from 'node:path';
import type { RestoreTarget } from '../source.ts';
import type { Facts } from './facts.ts';
import type { RestoredFiles } from './restored-files.ts';

/**
 * Restores tablespaces to `<data>-tablespaces/<oid>`, never to where they lay: a server may still be using that place.
 * The links to them, and the map from which PostgreSQL makes them anew when it starts, lead to the new place.
 */
export async function restoreTablespaces(facts: Facts, into: RestoreTarget, files: RestoredFiles): Promise<void> {
  const outside = facts.tablespaces.filter(({ location }) => location.startsWith('/'));
  const inside = facts.tablespaces.filter(({ location }) => !location.startsWith('/'));
  for (const { oid } of inside) await into.extract(`/tablespaces/${oid}`, join(into.folder, 'pg_tblspc', oid));
  if (outside.length === 0) return;

  const parent = `${into.folder}-tablespaces`;
  await files.privateFolder(parent);
  const map: string[] = [];
  for (const { oid } of outside) {
    const place = join(parent, oid);
    await into.extract(`/tablespaces/${oid}`, place);
    await files.privateFolder(place);
    await files.link(place, join(into.folder, 'pg_tblspc', oid));
    map.push(`${oid} ${escape(place)}\n`);
  }
  await files.write(join(into.folder, 'tablespace_map'), map.join(''));
}

/** In the map, a backslash keeps line ends and itself. */
function escape(path: string): string {
  return path.replace(/[\\\n\r]/g, '\\$&');
}
