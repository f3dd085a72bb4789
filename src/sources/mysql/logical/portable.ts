import { repeatable } from '../../../domain/repeatable.ts';
import { shellWord } from '../../../domain/shell-word.ts';
import type { ReadableSnapshot } from '../../../domain/snapshot.ts';
import type { PortableFile, SourceIo } from '../../source.ts';
import type { Access } from '../access.ts';
import type { BackupAddress } from '../address.ts';
import { productName } from '../product.ts';
import { Dump, type DatabaseDump } from './database-dump.ts';
import type { Position } from './dump-text.ts';
import { readFacts, type DatabaseFacts } from './facts.ts';
import { script } from './script.ts';
import { survey } from './survey.ts';

/** By these a restore tells a whole file from one that was cut short. */
const BEGIN = Buffer.from('-- MySQL dump of Respaldo\n');
const END = Buffer.from('-- Dump completed\n');

/** Each database as one file of SQL, to be loaded into a database that is there; all of one state of the server. */
export async function* portableDumps(
  address: BackupAddress,
  access: Access,
  io: SourceIo,
): AsyncGenerator<PortableFile> {
  const found = await survey(address, access, io);
  const { tools, server } = found;
  const client = await tools.program('client');
  const { name: dumpName, said } = await tools.program('dump');
  const dump = await Dump.open(found, io);
  for await (const database of dump.databases()) {
    const { name, charset, collation } = database.database;
    yield {
      name,
      extension: 'sql',
      content: script(content(database)),
      about: () => ({
        versions: { [dumpName]: said, [productName(server.version.product)]: server.said },
        facts: { charset, collation, ...positionFacts(dump) },
        restoreCommand: `${client.name} --binary-mode ${databaseWord(name)}`,
      }),
    };
  }
}

async function* content(database: DatabaseDump): AsyncGenerator<Uint8Array> {
  yield Buffer.from(BEGIN);
  for await (const file of database.files()) yield* file.content;
  yield Buffer.from(END);
}

/** The same of a snapshot: its files one after the other, each with its own head. */
export async function* portableDumpsOf(snapshot: ReadableSnapshot): AsyncGenerator<PortableFile> {
  const { databases, tools, product, serverVersion, position = {} } = await readFacts(snapshot);
  const [client, dump] = [firstWord(tools.client), firstWord(tools.dump)];
  for (const database of databases) {
    const { name, charset, collation } = database;
    yield {
      name,
      extension: 'sql',
      content: repeatable(() => storedContent(database, snapshot)),
      about: () => ({
        versions: { [dump]: tools.dump, [productName(product)]: serverVersion },
        facts: { charset, collation, ...positionFacts({ position }) },
        restoreCommand: `${client} --binary-mode ${databaseWord(name)}`,
      }),
    };
  }
}

async function* storedContent(
  { folder, files }: DatabaseFacts,
  snapshot: ReadableSnapshot,
): AsyncGenerator<Uint8Array> {
  yield Buffer.from(BEGIN);
  for (const file of files) yield* snapshot.stream(`${folder}/${file}`);
  yield Buffer.from(END);
}

/** Of the client's command line. A name may look like an option. */
function databaseWord(name: string): string {
  return name.startsWith('-') ? `--database=${shellWord(name)}` : shellWord(name);
}

/** `mariadb  Ver 15.1 Distrib …` */
function firstWord(said: string): string {
  return said.split(/\s/, 1).join('');
}

/** MariaDB tells it at the dump's beginning, its identifier at the end: then only the last file has that. */
function positionFacts({ position }: { readonly position: Position }): Record<string, string> {
  const { file, offset, gtid } = position;
  return {
    ...(file !== undefined && { binlog: `${file}:${String(offset ?? 0)}` }),
    ...(gtid !== undefined && { gtid }),
  };
}
