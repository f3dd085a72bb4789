/** What a check can find, in words. */
import type { Finding } from '../../domain/finding.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import type { Id } from '../format/id.ts';
import type { BlobType } from '../format/pack.ts';

export function indexDamaged(id: Id, why: string): Finding {
  return damage('index-damaged', `index ${id} cannot be read: ${reason(why, `index ${id}`)}`, id);
}

/** For who goes on with what the other index files tell. */
export function indexUnreadable(id: Id, why: string): Finding {
  const message = `${indexDamaged(id, why).message}; \`respaldo repair index\` mends that`;
  return { severity: 'note', code: 'index-damaged', message, subject: id, prominent: true };
}

export function snapshotDamaged(id: Id, why: string): Finding {
  return damage('snapshot-damaged', `snapshot ${id} cannot be read: ${reason(why, `snapshot ${id}`)}`, id);
}

export function keyDamaged(id: Id, why: string): Finding {
  return damage('key-damaged', `key ${id} cannot be read, its password opens nothing: ${reason(why, `key ${id}`)}`, id);
}

export function packMissing(id: Id): Finding {
  return damage('pack-missing', `pack ${id} is missing`, id);
}

/** Of another size than the index tells: cut short, as a rule. */
export function packSizeWrong(id: Id, size: number, expected: number): Finding {
  const what = `pack ${id} has ${size} bytes, the index tells of ${expected}`;
  return damage(size < expected ? 'pack-truncated' : 'pack-damaged', what, id);
}

export function packDamaged(id: Id, why: string): Finding {
  return damage('pack-damaged', `pack ${id} is damaged: ${why}`, id);
}

/** The store did not give it. Whether it is damaged is not known: what a repair would throw away may be whole. */
export function packUnreadable(id: Id, why: string): Finding {
  return damage('pack-unreadable', `pack ${id} cannot be read: ${why}`, id);
}

export function packUnreferenced(id: Id, size: number): Finding {
  const message = `pack ${id} (${size} bytes) is in no index: an interrupted backup left it, or one is under way`;
  return { severity: 'note', code: 'pack-unreferenced', message, subject: id };
}

export function blobMissing(type: BlobType, id: Id, tree: Id): Finding {
  return damage('blob-missing', `${type} blob ${id} is in no index, but tree ${tree} needs it`, id);
}

export function rootMissing(id: Id): Finding {
  return damage('blob-missing', `tree blob ${id} is in no index, but a snapshot or a tree needs it`, id);
}

export function blobDamaged(type: BlobType, id: Id, pack: Id, why: string): Finding {
  const what = `${type} blob ${id}`;
  return damage('blob-damaged', `${what} in pack ${pack} is damaged: ${reason(why, what)}`, id);
}

export function treeDamaged(id: Id, pack: Id, why: string): Finding {
  return damage('tree-damaged', `tree ${id} in pack ${pack} cannot be read: ${why}`, id);
}

/** A tree that can be read, but says what cannot be. */
export function treeInvalid(id: Id, why: string): Finding {
  return damage('tree-damaged', `tree ${id} is invalid: ${why}`, id);
}

/** The consequence of other findings. `path` is in printable form. */
export function snapshotHit(snapshot: Snapshot, path: string): Finding {
  const message = `snapshot ${snapshot.id.slice(0, 8)} of ${snapshot.time} cannot be restored whole: ${path} is hit`;
  return damage('snapshot-hit', message, snapshot.id);
}

/** What is said already of the subject is not said twice. */
function reason(why: string, subject: string): string {
  return why.replace(`${subject} is damaged: `, '');
}

function damage(code: string, message: string, subject: string): Finding {
  return { severity: 'damage', code, message, subject };
}
