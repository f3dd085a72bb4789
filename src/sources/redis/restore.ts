import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { shellWord } from '../../domain/shell-word.ts';
import type { ReadableSnapshot } from '../../domain/snapshot.ts';
import type { RestoreTarget, SourceIo } from '../source.ts';
import { FILE, FOLDER, readFacts } from './facts.ts';
import { checkedRdb } from './rdb.ts';

/** The RDB, and what to do with it. */
export async function restore(snapshot: ReadableSnapshot, into: RestoreTarget, { report }: SourceIo): Promise<void> {
  const { product, serverVersion, appendOnly } = await readFacts(snapshot);
  const file = join(into.folder, FILE);
  await into.extract(FOLDER, into.folder);
  for await (const _piece of checkedRdb(createReadStream(file), file)) continue;
  const log = appendOnly ? ' --appendonly no' : '';
  report({
    severity: 'note',
    code: 'how-to-start',
    prominent: true,
    message: `${product} ${serverVersion} was restored; a server starts on it: redis-server --dir ${shellWord(into.folder)} --dbfilename ${FILE}${log}`,
    subject: file,
  });
  report({
    severity: 'note',
    code: 'how-to-replace',
    prominent: true,
    message:
      'to put it in place of another: stop the server, move dump.rdb and appendonlydir out of its folder (CONFIG GET dir), copy this file there as the server’s user, start it' +
      (appendOnly
        ? '. That server keeps a log, which it would read instead: start it with appendonly no, then CONFIG SET appendonly yes'
        : ''),
  });
}
