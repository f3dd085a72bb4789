import { closeSync, lstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';

/** Reads every file, so that none has to come from the disk while somebody is measured. @param path file or folder */
export function warm(path: string): void {
  const buffer = Buffer.alloc(1024 * 1024);
  const isFolder = lstatSync(path).isDirectory();
  const names = isFolder ? readdirSync(path, { recursive: true, encoding: 'utf8' }) : [''];
  for (const name of names) {
    const file = join(path, name);
    if (!lstatSync(file).isFile()) continue;
    const fd = openSync(file, 'r');
    while (readSync(fd, buffer, 0, buffer.length, null) > 0);
    closeSync(fd);
  }
}
