import { statfs } from 'node:fs/promises';

import type { Observation } from '../../domain/observation.ts';
import { observeClock, observeSpace, type Times } from '../trial.ts';

interface FileSystem {
  readonly name: string;
  readonly advice?: string;
}

const REMOTE =
  'Mount it so that a write is not over before the server has it (no "async" export, no "soft" mount), or use sftp:, which does not depend on it.';
const VOLATILE = 'What lies there is gone with the next start of the machine: use a disk.';

/** By the numbers of statfs(2). */
const FILE_SYSTEMS: Readonly<Record<number, FileSystem>> = {
  0xef53: { name: 'ext4' },
  0x58465342: { name: 'xfs' },
  0x9123683e: { name: 'btrfs' },
  0x2fc12fc1: { name: 'zfs' },
  0xf2f52010: { name: 'f2fs' },
  0x794c7630: { name: 'overlay', advice: 'This is the changeable layer of a container, lost with it: mount a volume.' },
  0x01021994: { name: 'tmpfs', advice: VOLATILE },
  0x858458f6: { name: 'ramfs', advice: VOLATILE },
  0x6969: { name: 'NFS', advice: REMOTE },
  0xff534d42: { name: 'CIFS', advice: REMOTE },
  0xfe534d42: { name: 'SMB', advice: REMOTE },
  0x01021997: { name: '9p', advice: REMOTE },
  0x65735546: { name: 'FUSE', advice: REMOTE },
  0x4d44: { name: 'FAT', advice: 'No file there can be larger than 4 GiB, nor be kept from other users.' },
};

/** What the file system of a folder is, says of its time, and has left. */
export async function observeFolder(folder: string, times: Times): Promise<readonly Observation[]> {
  const { type, bsize, blocks, bavail } = await statfs(folder);
  const { name, advice } = FILE_SYSTEMS[type] ?? { name: `unknown (0x${type.toString(16)})` };
  return [
    {
      ...{ trait: 'file system', verdict: advice === undefined ? 'good' : 'note', found: name },
      ...(advice !== undefined && { advice }),
    },
    observeSpace(bavail * bsize, blocks * bsize),
    observeClock(times),
  ];
}
