import type { FoundEntry } from '../../operations/find.ts';
import type { FoundObject } from '../../operations/find-objects.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import type { ListedNode, StoredBlob } from '../../repository/repository.ts';
import { quoted } from '../printable.ts';
import { formatTime } from '../units.ts';
import { longLine, nodeFacts } from './node.ts';
import { shortId } from './snapshot.ts';

/** `Found matching entries in snapshot 1a2b3c4d from 2025-01-31 07:05:09` */
export function foundTitle({ id, time }: Snapshot): string {
  return `Found matching entries in snapshot ${shortId(id)} from ${formatTime(new Date(time))}`;
}

export function foundLine({ node }: FoundEntry, long: boolean): string {
  return long ? longLine(node) : quoted(node.path);
}

/** As `restic find` tells who uses an object. */
export function foundObjectLines({ snapshot, kind, id, path, parentTree }: FoundObject): string[] {
  return [
    `Found ${kind} ${id}`,
    ...(kind === 'blob'
      ? [` ... in file ${quoted(path)}`, `     (tree ${parentTree ?? ''})`]
      : [` ... path ${quoted(path)}`]),
    ` ... in snapshot ${shortId(snapshot.id)} (${formatTime(new Date(snapshot.time))})`,
  ];
}

/** As `restic find --show-pack-id` tells where an object is. */
export function storedObjectLines({ type, id, pack, offset, length, uncompressedLength }: StoredBlob): string[] {
  const place = `offset ${offset}, length ${length}, uncompressed length ${uncompressedLength}`;
  return [`Object belongs to pack ${pack}`, ` ... Pack ${shortId(pack)}: <Blob (${type}) ${shortId(id)}, ${place}>`];
}

/** As `restic find --json` shows an entry. */
function foundMessage(node: ListedNode): Record<string, unknown> {
  const { name: _, ...facts } = nodeFacts(node);
  return {
    ...facts,
    user: node.user,
    group: node.group,
    device_id: node.deviceId ? Number(node.deviceId) : undefined,
    size: node.size === 0 ? undefined : node.size,
    links: node.links === 0 ? undefined : node.links,
    linktarget: node.linkTarget,
  };
}

/** As `restic find --blob --json` shows who uses an object. */
export function foundObjectMessage({ snapshot, kind, id, path, parentTree }: FoundObject): Record<string, unknown> {
  return { object_type: kind, id, path, parent_tree: parentTree, snapshot: snapshot.id, time: snapshot.time };
}

/**
 * restic's list of snapshots, each with its matches, as text that can be written while they are found.
 * Ends with {@link end}.
 */
export class FoundList {
  #snapshot: Snapshot | undefined;
  #hits = 0;

  next({ snapshot, node }: FoundEntry): string {
    const begin = snapshot === this.#snapshot ? ',' : `${this.#close('[', ',')}{"matches":[`;
    if (snapshot !== this.#snapshot) this.#hits = 0;
    this.#snapshot = snapshot;
    this.#hits += 1;
    return begin + JSON.stringify(foundMessage(node));
  }

  end(): string {
    return `${this.#close('[', '')}]\n`;
  }

  #close(first: string, between: string): string {
    if (this.#snapshot === undefined) return first;
    return `],"hits":${this.#hits},"snapshot":"${this.#snapshot.id}"}${between}`;
  }
}
