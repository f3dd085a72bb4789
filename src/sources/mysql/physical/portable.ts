import { readFile, writeFile } from 'node:fs/promises';
import { errnoOf } from '../../../errors.ts';
import { z } from 'zod';
import { beginIncrement, type Increment } from '../../increments.ts';
import type { Increments, PortableAbout, PortableFile, SourceIo } from '../../source.ts';
import type { BackupAddress } from '../address.ts';
import { streamBackup } from './backup-program.ts';
import { whyEverything, type Base } from './base.ts';
import { CopiedFiles, type Told } from './copied-files.ts';
import { serverOf } from './facts.ts';
import { survey, type Survey } from './survey.ts';

/** Nothing is ever left out. */
const ALL = { exclude: [], oneFileSystem: false, excludeCaches: false };

/** What the next copy has to know of one. */
const base = z.object({
  serverVersion: z.string(),
  server: z.object({ hostname: z.string(), dataDirectory: z.string(), startedAt: z.number() }),
  pageBytes: z.number(),
  last: z.object({ toLsn: z.string(), lastLsn: z.string() }),
});

/** A copy that is going to be made. */
interface NextCopy {
  /** Absent where nothing is kept of copies. */
  readonly increment?: Increment;
  /** Absent: it holds everything. */
  readonly base?: Base;
  readonly reason?: string;
}

/**
 * The stream of `mariadb-backup` as it comes, as one file: everything, or what has changed since the copy before.
 * @param path what identifies the source
 */
export async function* portableFiles(
  address: BackupAddress,
  given: string | undefined,
  path: string,
  io: SourceIo,
  increments: Increments | undefined,
): AsyncGenerator<PortableFile> {
  const found = await survey(address, given, io);
  const next = increments === undefined ? {} : await beginCopy(found, path, increments);
  const { increment } = next;
  try {
    const copied = new CopiedFiles(streamBackup(found.tools, found.program, next.base?.last.toLsn));
    let told: Told | undefined;
    const content = async function* (): AsyncGenerator<Uint8Array> {
      for await (const { header, payload } of copied.chunks()) {
        yield header;
        if (payload !== undefined) yield* payload;
      }
      told = await copied.told(found, next.base?.last);
    };
    yield {
      name: 'server',
      extension: 'xb',
      content: content(),
      about: () => aboutOf(found, next, told),
      ...(increment && {
        settle: async (keys) => {
          if (told === undefined) return;
          await remember(increment.state, found, told);
          await increment.keep(keys);
        },
      }),
    };
  } finally {
    await increment?.discard();
  }
}

/** Upon the copy before, if the server is still the one that it was made of. */
async function beginCopy(found: Survey, path: string, increments: Increments): Promise<NextCopy> {
  const increment = await beginIncrement(path, ALL, increments);
  if (increment.chain.level === 0) return { increment, reason: increment.reason };
  const before = await recall(increment.state);
  const why = before === undefined ? 'nobody knows what the last one holds' : whyEverything(before, found);
  if (before !== undefined && why === undefined) return { increment, base: before, reason: increment.reason };
  await increment.discard();
  return { increment: await beginIncrement(path, ALL, { ...increments, wanted: 'full' }), reason: why ?? '' };
}

async function remember(file: string, found: Survey, { link }: Told): Promise<void> {
  const known: Base = {
    serverVersion: found.serverVersion,
    server: serverOf(found.files),
    pageBytes: found.files.pageBytes,
    last: { toLsn: link.toLsn, lastLsn: link.lastLsn },
  };
  await writeFile(file, JSON.stringify(known), { mode: 0o600 });
}

/** Undefined: it is not there, or cannot be understood. */
async function recall(file: string): Promise<Base | undefined> {
  try {
    return base.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || error instanceof SyntaxError || error instanceof z.ZodError) return undefined;
    throw error;
  }
}

function aboutOf(
  { program, serverVersion }: Survey,
  { increment, reason, base }: NextCopy,
  told?: Told,
): PortableAbout {
  const { file, offset, gtid } = told?.position ?? {};
  return {
    versions: { [program.name]: program.said, MariaDB: serverVersion },
    facts: {
      ...(increment && { level: String(increment.chain.level), because: reason ?? '' }),
      ...(told && { 'from-lsn': told.link.fromLsn, 'to-lsn': told.link.toLsn }),
      ...(file !== undefined && { binlog: `${file}:${String(offset ?? 0)}` }),
      ...(gtid !== undefined && { gtid }),
    },
    restoreCommand:
      base === undefined
        ? '(mkdir data && mbstream -x -C data) && mariadb-backup --prepare --target-dir=data'
        : '(mkdir increment && mbstream -x -C increment) && mariadb-backup --prepare --target-dir=data --incremental-dir=increment && rm -r increment',
    ...(increment && { chain: increment.chain }),
  };
}
