import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReadableSnapshot } from '../../domain/snapshot.ts';
import type { RestoreTarget } from '../source.ts';
import type { Facts } from './facts.ts';
import type { RestoredFiles } from './restored-files.ts';

/**
 * Restores tablespaces to `<data>-tablespaces/<oid>`, never to where they lay: a server may still be using that place.
 * Each leaves a mark when it is done, so that the same restore can go on after an interruption.
 */
export async function extractTablespaces(facts: Facts, snapshot: ReadableSnapshot, into: RestoreTarget): Promise<void> {
  for (const oid of outside(facts)) {
    await mkdir(parentOf(into.folder), { recursive: true, mode: 0o700 });
    const mark = markOf(into.folder, oid);
    if ((await readFile(mark, 'utf8').catch(() => undefined)) === snapshot.id) continue;
    await into.extract(`/tablespaces/${oid}`, placeOf(into.folder, oid));
    await writeFile(mark, snapshot.id);
  }
}

/** Tablespaces inside the data directory, a choice for developers: they go where they were. */
export async function extractInPlaceTablespaces({ tablespaces }: Facts, into: RestoreTarget): Promise<void> {
  for (const { oid, location } of tablespaces)
    if (!isOutside(location)) await into.extract(`/tablespaces/${oid}`, join(into.folder, 'pg_tblspc', oid));
}

/**
 * Leads the links to the tablespaces, and the map from which PostgreSQL makes them anew when it starts, to their new
 * place.
 */
export async function linkTablespaces(facts: Facts, data: string, files: RestoredFiles): Promise<void> {
  const oids = outside(facts);
  if (oids.length === 0) return;
  await files.privateFolder(parentOf(data));
  for (const oid of oids) {
    await files.privateFolder(placeOf(data, oid));
    await files.link(placeOf(data, oid), join(data, 'pg_tblspc', oid));
    await rm(markOf(data, oid), { force: true });
  }
  await files.write(join(data, 'tablespace_map'), oids.map((oid) => `${oid} ${escape(placeOf(data, oid))}\n`).join(''));
}

function outside({ tablespaces }: Facts): readonly string[] {
  return tablespaces.filter(({ location }) => isOutside(location)).map(({ oid }) => oid);
}

function isOutside(location: string): boolean {
  return location.startsWith('/');
}

function parentOf(data: string): string {
  return `${data}-tablespaces`;
}

function placeOf(data: string, oid: string): string {
  return join(parentOf(data), oid);
}

function markOf(data: string, oid: string): string {
  return join(parentOf(data), `${oid}.restored`);
}

/** In the map, a backslash keeps line ends and itself. */
function escape(path: string): string {
  return path.replace(/[\\\n\r]/g, '\\$&');
}
