import { z } from 'zod';
import type { Snapshot } from '../domain/snapshot.ts';
import type { Repository } from '../repository/repository.ts';
import type { SourceKind } from '../sources/source.ts';

/** Where a database's snapshot tells what it is. */
const FACTS_PATH = '/respaldo.json';
/** What is of use as it is stored: dumps, and stretches of a server's log. */
const AS_FILES: readonly string[] = ['logical', 'binlogs'];
const facts = z.object({ kind: z.string(), method: z.string().optional() });

/**
 * The kind of database whose files a snapshot holds, or undefined for plain files: dumps and logs are such too. A folder may hold a file of that name by
 * chance: only a snapshot that Respaldo tagged with its type is looked into.
 */
export async function databaseKind(
  snapshot: Snapshot,
  repository: Repository,
  kinds: readonly SourceKind[],
  signal: AbortSignal,
): Promise<SourceKind | undefined> {
  const told = await factsOf(snapshot, repository, signal);
  return AS_FILES.includes(told?.method ?? '') ? undefined : kinds.find(({ name }) => name === told?.kind);
}

/** The kind of source that a snapshot came from, dumps too; undefined for plain files. */
export async function snapshotKind(
  snapshot: Snapshot,
  repository: Repository,
  kinds: readonly SourceKind[],
  signal: AbortSignal,
): Promise<SourceKind | undefined> {
  const told = await factsOf(snapshot, repository, signal);
  return kinds.find(({ name }) => name === told?.kind);
}

async function factsOf(
  snapshot: Snapshot,
  repository: Repository,
  signal: AbortSignal,
): Promise<z.infer<typeof facts> | undefined> {
  if (!snapshot.tags?.some((tag) => tag.startsWith('type='))) return undefined;
  const bytes = await repository.readable(snapshot, signal).read(FACTS_PATH);
  return bytes && facts.safeParse(parseJson(new TextDecoder().decode(bytes))).data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
