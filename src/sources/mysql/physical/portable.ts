import { repeatable } from '../../../domain/repeatable.ts';
import type { ReadableSnapshot } from '../../../domain/snapshot.ts';
import type { Increments, PortableAbout, PortableFile, SourceIo } from '../../source.ts';
import type { BackupAddress } from '../address.ts';
import { streamBackup } from './backup-program.ts';
import { whyEverything, whyNotLast, type Base } from './base.ts';
import { CopiedFiles, type Told } from './copied-files.ts';
import { readPhysicalFacts, serverOf, type PhysicalFacts } from './facts.ts';
import { beginCopy, keepCopy, type NextCopy } from './remembered.ts';
import { copiesAsStream, stepsToRestore } from './stored-copies.ts';
import { survey, type Survey } from './survey.ts';

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
  const next = await beginCopy(path, increments, (before) => whyEverything(before, found));
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
      about: () => aboutOf(made(found, told), next, 1),
      ...(increment && {
        settle: async (keys) => {
          if (told !== undefined) await keepCopy(increment, baseOf(found, told), keys);
        },
      }),
    };
  } finally {
    await increment?.discard();
  }
}

/**
 * The same of a snapshot. Where what has changed in it since the one before is what has changed since the copy before, it
 * is that; else all copies that the snapshot is put together of.
 */
export async function* portableFilesOf(
  snapshot: ReadableSnapshot,
  path: string,
  increments: Increments | undefined,
): AsyncGenerator<PortableFile> {
  const facts = await readPhysicalFacts(snapshot);
  const next = await beginCopy(path, increments, (before) => whyNotLast(before, facts));
  const { increment } = next;
  try {
    const links = next.base === undefined ? facts.chain : facts.chain.slice(-1);
    const first = links[0];
    const last = facts.chain.at(-1);
    yield {
      name: 'server',
      extension: 'xb',
      content: repeatable(() => copiesAsStream(links, snapshot)),
      about: () =>
        aboutOf(
          {
            program: programOf(facts),
            serverVersion: facts.serverVersion,
            ...(first && last && { lsn: { from: first.fromLsn, to: last.toLsn } }),
            ...(facts.position && { position: facts.position }),
          },
          next,
          links.length,
        ),
      ...(increment && last && { settle: (keys) => keepCopy(increment, { ...facts, last }, keys) }),
    };
  } finally {
    await increment?.discard();
  }
}

/** How a copy was made, and what it holds. */
interface Made {
  readonly program: { readonly name: string; readonly said: string };
  readonly serverVersion: string;
  readonly lsn?: { readonly from: string; readonly to: string };
  readonly position?: NonNullable<PhysicalFacts['position']>;
}

function made({ program, serverVersion }: Survey, told: Told | undefined): Made {
  const { link, position } = told ?? {};
  return {
    program,
    serverVersion,
    ...(link && { lsn: { from: link.fromLsn, to: link.toLsn } }),
    ...(position && { position }),
  };
}

function baseOf({ serverVersion, files }: Survey, { link }: Told): Base {
  return { serverVersion, server: serverOf(files), pageBytes: files.pageBytes, last: link };
}

/** `mariadb-backup based on MariaDB server …` */
function programOf({ tools: { backup: said } }: PhysicalFacts): Made['program'] {
  return { name: said.split(/\s/, 1).join(''), said };
}

/** @param copies that the file holds */
function aboutOf(
  { program, serverVersion, lsn, position: { file, offset, gtid } = {} }: Made,
  { increment, reason, base }: NextCopy,
  copies: number,
): PortableAbout {
  return {
    versions: { [program.name]: program.said, MariaDB: serverVersion },
    facts: {
      ...(increment && { level: String(increment.chain.level), because: reason ?? '' }),
      ...(lsn && { 'from-lsn': lsn.from, 'to-lsn': lsn.to }),
      ...(file !== undefined && { binlog: `${file}:${String(offset ?? 0)}` }),
      ...(gtid !== undefined && { gtid }),
    },
    restoreCommand: stepsToRestore(copies, base !== undefined),
    ...(increment && { chain: increment.chain }),
  };
}
