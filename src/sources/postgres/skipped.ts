import type { Finding } from '../../domain/finding.ts';
import type { ServerMessage } from './wire/message.ts';

/** The function of the server that walks the data directory: it warns of what it leaves out. */
const WALK = 'sendDir';
/** Where the server keeps its data; elsewhere are logs and what people put there. */
const OF_THE_SERVER = /^(?:base|global|pg_(?!log\/)\w+)\//;
const SOCKET = /(?:^|\/)\.s\.PGSQL\.\d+$/;

/**
 * What the server warned of, beside damaged pages. It leaves out what is no ordinary file, such as symlinks: among the
 * server's own data, the snapshot lacks something then.
 */
export function judgeWarnings(warnings: readonly ServerMessage[]): readonly Finding[] {
  // The server walks twice if it estimates sizes, and warns twice.
  const distinct = new Map(warnings.map((warning) => [warning.message, warning]));
  return [...distinct.values()].flatMap(({ severity, routine, message }): readonly Finding[] => {
    if (severity !== 'WARNING') return [];
    if (routine !== WALK) return [{ severity: 'note', code: 'server-warning', message }];
    const path = (/["»«„“](.*)["»«”“]/.exec(message)?.[1] ?? '').replace(/^\.\//, '');
    if (SOCKET.test(path)) return [];
    const told = `not in the snapshot, because it is no ordinary file: ${message}`;
    return [
      OF_THE_SERVER.test(path)
        ? { severity: 'incomplete', code: 'file-skipped', message: told, subject: path }
        : { severity: 'note', code: 'file-skipped', prominent: true, message: told, subject: path },
    ];
  });
}
