import { repeatable } from '../../../domain/repeatable.ts';
import { shellWord } from '../../../domain/shell-word.ts';
import type { ReadableSnapshot } from '../../../domain/snapshot.ts';
import { freeName } from '../../server/free-name.ts';
import type { PortableFile, SourceIo } from '../../source.ts';
import type { Access } from '../access.ts';
import type { BackupAddress } from '../address.ts';
import { productName, type Product } from '../product.ts';
import { accountsText, readAccounts } from './accounts.ts';
import { Dump, type DatabaseDump } from './database-dump.ts';
import { definersOf } from './definers.ts';
import type { Position } from './dump-text.ts';
import { readFacts, type DatabaseFacts } from './facts.ts';
import { accountsMissing } from './findings.ts';
import { ACCOUNTS_AND_GRANTS } from './holds.ts';
import { portableAccounts, type Definers } from './portable-accounts.ts';
import { script } from './script.ts';
import { survey } from './survey.ts';

/** By these a restore tells a whole file from one that was cut short. */
const BEGIN = Buffer.from('-- MySQL dump of Respaldo\n');
const END = Buffer.from('-- Dump completed\n');
/** The name of the file that holds no database. */
const ACCOUNTS = 'accounts';

/**
 * Accounts and grants as one file of SQL, and each database as another, to be loaded into a database that is there; all
 * databases are of one state of the server.
 */
export async function* portableDumps(
  address: BackupAddress,
  access: Access,
  io: SourceIo,
): AsyncGenerator<PortableFile> {
  const found = await survey(address, access, io);
  const { tools, server, databases } = found;
  const client = await tools.program('client');
  const { name: dumpName, said } = await tools.program('dump');
  const accounts = await readAccounts(tools, server);
  if (accounts === undefined) io.report(accountsMissing(server.account));
  else {
    const definers = databases.map(({ name, content }) => ({ database: name, names: definersOf([content]) }));
    yield {
      ...accountsFile(freeName(ACCOUNTS, databases), client.name, server.version.product, server.said),
      content: portableAccounts([Buffer.from(accountsText(accounts))], definers),
    };
  }
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
  const { databases, tools, product, serverVersion, position = {}, accounts } = await readFacts(snapshot);
  const [client, dump] = [firstWord(tools.client), firstWord(tools.dump)];
  if (accounts !== undefined) {
    const definers = databases.map((database): Definers => ({
      database: database.name,
      names: definersOf([database]),
    }));
    yield {
      ...accountsFile(freeName(ACCOUNTS, databases), client, product, serverVersion),
      content: repeatable(() => portableAccounts(snapshot.stream(accounts.file), definers)),
    };
  }
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

function accountsFile(name: string, client: string, product: Product, server: string): Omit<PortableFile, 'content'> {
  return {
    name,
    extension: 'sql',
    about: () => ({
      versions: { [productName(product)]: server },
      facts: { holds: ACCOUNTS_AND_GRANTS },
      // Grants on what is not there are told, and the others made.
      restoreCommand: `${client} --binary-mode --force`,
    }),
  };
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
