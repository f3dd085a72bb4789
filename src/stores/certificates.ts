import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { getCACertificates } from 'node:tls';

import { RespaldoError } from '../errors.ts';

/**
 * Whose certificates are trusted, in PEM form. Node trusts a list of its own; restic, and everybody who installs an
 * authority, the system's.
 * @param file more of them; a relative path starts from `workingDirectory`.
 * @throws RespaldoError `store-refused` if the file cannot be read.
 */
export async function trustedCertificates(file: string | undefined, workingDirectory: string): Promise<string[]> {
  const usual = [...getCACertificates('default'), ...getCACertificates('system')];
  if (file === undefined) return usual;
  const path = resolve(workingDirectory, file.replace(/^~(?=\/)/, homedir()));
  try {
    return [...usual, await readFile(path, 'utf8')];
  } catch (error) {
    throw new RespaldoError('store-refused', `cannot read the certificates in ${path}`, {
      hint: 'The ca-file of the address must be a file in PEM form that you can read.',
      cause: error,
    });
  }
}
