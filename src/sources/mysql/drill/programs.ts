/** Where a server's programs are. */
import { isError, RespaldoError } from '../../../errors.ts';
import type { Runtime } from '../../../runtimes/runtime.ts';
import { productName, programVersion, type Product, type Version } from '../product.ts';

/** A server's program. */
export interface ServerProgram {
  /** As it is run: a name that PATH finds, or an absolute path. */
  readonly path: string;
  readonly version: Version;
}

const NAMES: Readonly<Record<Product, readonly string[]>> = { mariadb: ['mariadbd', 'mysqld'], mysql: ['mysqld'] };
/** Packages put servers where the PATH of people does not lead. */
const FOLDERS = ['', '/usr/sbin/', '/usr/libexec/', '/usr/local/mysql/bin/'];

/** A server of the product that was dumped. @throws RespaldoError `tool-missing`. */
export async function findServer(product: Product, runtime: Runtime, signal: AbortSignal): Promise<ServerProgram> {
  for (const name of NAMES[product])
    for (const folder of FOLDERS) {
      const path = `${folder}${name}`;
      const version = await versionOf(path, runtime, signal);
      if (version?.product === product) return { path, version };
    }
  throw new RespaldoError('tool-missing', `there is no server of ${productName(product)} on ${runtime.place}`, {
    hint: `Install it there (Debian: mariadb-server; it need not be started), drill in a container of its image: --image ${product}:…, or prove the snapshot's bytes alone: --content`,
  });
}

async function versionOf(path: string, runtime: Runtime, signal: AbortSignal): Promise<Version | undefined> {
  try {
    const pieces = await Array.fromAsync(runtime.run({ argv: [path, '--no-defaults', '--version'], cwd: '/' }, signal));
    return programVersion(Buffer.concat(pieces).toString('utf8'));
  } catch (error) {
    if (isError(error, 'tool-missing') || isError(error, 'command-failed')) return undefined;
    throw error;
  }
}
