/** Many small files, as in a checkout of source code: a hundred in each folder. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { source } from './content.ts';
import { Random } from './random.ts';

const FILES = 100_000;
const FILES_A_FOLDER = 100;
const FOLDERS_A_FOLDER = 50;

export function writeSmallFiles(folder: string, scale: number): void {
  const random = new Random('small files');
  for (let index = 0; index < folders(scale); index++) {
    const inner = join(folder, innerFolder(index));
    mkdirSync(inner, { recursive: true });
    for (let n = 0; n < FILES_A_FOLDER; n++)
      writeFileSync(join(inner, fileName(n)), source(random, random.size(2_700, 400_000, 1.2)));
  }
}

/** Changes one file in each folder: a hundredth of all, spread over everything. */
export function changeSmallFiles(folder: string, scale: number): void {
  const random = new Random('changes');
  for (let index = 0; index < folders(scale); index++)
    appendFileSync(join(folder, innerFolder(index), fileName(random.below(FILES_A_FOLDER))), source(random, 200));
}

function folders(scale: number): number {
  return Math.max(1, Math.round((FILES / FILES_A_FOLDER) * scale));
}

function innerFolder(index: number): string {
  return join(`part-${Math.floor(index / FOLDERS_A_FOLDER)}`, `folder-${index % FOLDERS_A_FOLDER}`);
}

function fileName(n: number): string {
  return `file-${n}.${['js', 'py', 'h', 'txt'][n % 4] ?? 'txt'}`;
}
