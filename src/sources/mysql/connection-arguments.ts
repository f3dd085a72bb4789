/** How the client programs are told where the server is. Pure; passwords are never among the arguments. */
import type { MysqlAddress } from './address.ts';
import { isAtLeast, type Version } from './product.ts';

/** MariaDB's programs look at certificates by themselves from this version on. */
const VERIFIES_SINCE = [11, 4] as const;

/**
 * No option file is read: one could send the output elsewhere, or leave half of it out.
 * @param user who logs in, which a container may know better than the address.
 */
export function connectionArguments(address: MysqlAddress, user: string, tool: Version): readonly string[] {
  const { socket, host, port, isDefaultHost, isDefaultPort } = address;
  const where =
    socket !== undefined
      ? [`--socket=${socket}`, '--protocol=socket']
      : isDefaultHost && isDefaultPort
        ? []
        : [`--host=${host}`, ...(isDefaultPort ? [] : [`--port=${String(port)}`, '--protocol=tcp'])];
  return ['--no-defaults', `--user=${user}`, ...where, ...encryption(address, tool)];
}

function encryption({ sslMode, sslCa, sslCert, sslKey }: MysqlAddress, tool: Version): readonly string[] {
  const files = [
    ...(sslCa === undefined ? [] : [`--ssl-ca=${sslCa}`]),
    ...(sslCert === undefined ? [] : [`--ssl-cert=${sslCert}`]),
    ...(sslKey === undefined ? [] : [`--ssl-key=${sslKey}`]),
  ];
  if (tool.product === 'mysql') {
    const modes = { disable: 'DISABLED', prefer: 'PREFERRED', require: 'REQUIRED', verify: 'VERIFY_IDENTITY' } as const;
    return [`--ssl-mode=${modes[sslMode]}`, ...files];
  }
  switch (sslMode) {
    case 'disable':
      return ['--skip-ssl'];
    case 'prefer':
      return [...files, ...(isAtLeast(tool, ...VERIFIES_SINCE) ? ['--disable-ssl-verify-server-cert'] : [])];
    case 'require':
      return ['--ssl', ...files, ...(isAtLeast(tool, ...VERIFIES_SINCE) ? ['--disable-ssl-verify-server-cert'] : [])];
    case 'verify':
      return ['--ssl', '--ssl-verify-server-cert', ...files];
  }
}
