import type { Command } from 'commander';
import type { SnapshotFilter } from '../domain/snapshot.ts';

/** The options by which verbs select snapshots, as commander hands them over. */
export interface SelectOptions {
  readonly host: readonly string[];
  readonly tag: readonly string[];
  readonly path: readonly string[];
}

/** Adds `--host`, `--tag` and `--path`, each of which may be given several times. */
export function addSelectOptions(command: Command): Command {
  return command
    .option('-H, --host <name>', 'only snapshots of this host (repeatable)', collect, [])
    .option('--tag <tag,…>', 'only snapshots with all of these tags (repeatable: any of the lists)', collect, [])
    .option('--path <path>', 'only snapshots that hold this absolute path (repeatable: all of them)', collect, []);
}

export function filterOf(options: SelectOptions, ids: readonly string[] = []): SnapshotFilter {
  return {
    hosts: options.host,
    tags: options.tag.map((list) => list.split(',')),
    paths: options.path,
    ids,
  };
}

/** For options that may be given several times. */
export function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** `latest:/etc/ssl`: a snapshot, and a folder or file in it. */
export interface SnapshotReference {
  /** An id, the beginning of one, or `latest`. */
  readonly snapshot: string;
  readonly path?: string;
}

export function parseReference(text: string): SnapshotReference {
  const at = text.indexOf(':');
  return at === -1 ? { snapshot: text } : { snapshot: text.slice(0, at), path: absolute(text.slice(at + 1)) };
}

/** Paths within a snapshot start at its root, with or without a slash. */
export function absolute(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  return trimmed.startsWith('/') ? trimmed : `/${trimmed}`;
}
