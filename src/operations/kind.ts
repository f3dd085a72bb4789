import { z } from 'zod';
import type { Snapshot } from '../domain/snapshot.ts';
import type { Repository } from '../repository/repository.ts';
import type { SourceKind } from '../sources/source.ts';

/** Where a database's snapshot tells what it is. */
const FACTS_PATH = '/respaldo.json';
const facts = z.object({ kind: z.string(), method: z.string().optional() });

/**
 * The kind of database whose files a snapshot holds, or undefined for plain files: dumps are such too. A folder may hold a file of that name by
 * chance: only a snapshot that Respaldo tagged with its type is looked into.
 */
export async function databaseKind(
  snapshot: Snapshot,
  repository: Repository,
  kinds: readonly SourceKind[],
  signal: AbortSignal,
): Promise<SourceKind | undefined> {
  if (!snapshot.tags?.some((tag) => tag.startsWith('type='))) return undefined;
  const bytes = await repository.readable(snapshot, signal).read(FACTS_PATH);
  if (!bytes) return undefined;
  const told = facts.safeParse(parseJson(new TextDecoder().decode(bytes)));
  return told.success && told.data.method !== 'logical' ? kinds.find(({ name }) => name === told.data.kind) : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
