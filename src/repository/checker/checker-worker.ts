/** Verifies packs that the main thread has read. */
import type { RepositoryKey } from '../format/cipher.ts';
import { Sealer } from '../format/crypto.ts';
import type { Id } from '../format/id.ts';
import type { PackedBlob } from '../format/pack.ts';
import { serve } from '../workers/serve.ts';
import { type PackReport, verifyPack } from './verify-pack.ts';

export interface WorkerData {
  readonly key: RepositoryKey;
}

export interface VerifyTask {
  readonly id: Id;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly listed: readonly PackedBlob[];
}

serve<WorkerData, VerifyTask, PackReport>(({ key }) => {
  const sealer = new Sealer(key);
  return ({ id, bytes, listed }) => ({ value: verifyPack(sealer, id, bytes, listed), transfer: [] });
});
