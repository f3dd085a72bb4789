import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from '../scripts/tool.ts';

/** Compiles the program and lays it out in `folder` as npm does. @returns the path of its `bin/respaldo.js` */
export async function installProgram(folder: string): Promise<string> {
  const { code, output } = await run(['node', 'scripts/build.ts', join(folder, 'dist')]);
  if (code !== 0) throw new Error(`the program cannot be built:\n${output}`);
  mkdirSync(join(folder, 'bin'));
  for (const file of ['package.json', 'bin/respaldo.js']) cpSync(join(root, file), join(folder, file));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return join(folder, 'bin/respaldo.js');
}
