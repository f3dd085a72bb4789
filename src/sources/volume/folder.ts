import { lstat } from 'node:fs/promises';
import { basename } from 'node:path';
import { CARRIED, type ContainerEngine, type EngineVolume } from '../../runtimes/container-engine.ts';

/** Whether the volume's folder lies here, always holds its content, and shows all of it: that takes root. */
export async function isFolderOfOurs(engine: ContainerEngine, { plain, folder }: EngineVolume): Promise<boolean> {
  if (!plain || basename(folder) !== CARRIED || process.getuid?.() !== 0 || !(await engine.isLocal())) return false;
  return lstat(folder).then(
    (stat) => stat.isDirectory(),
    () => false,
  );
}
