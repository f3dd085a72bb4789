import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Report } from '../../domain/entry.ts';
import type { ReadableSnapshot } from '../../domain/snapshot.ts';
import { adaptConfiguration, settingOf, type ConfigurationFile } from './adapted-configuration.ts';
import type { Facts } from './facts.ts';
import type { RestoredFiles } from './restored-files.ts';

const WRITTEN = '# Written by Respaldo at restore: the original was not in the snapshot.\n';

/** What a server needs to start. Nobody but users of this machine gets in, as the database role of the same name. */
const MINIMAL = [
  { role: 'config', name: 'postgresql.conf', text: `${WRITTEN}listen_addresses = 'localhost'\n` },
  { role: 'hba', name: 'pg_hba.conf', text: `${WRITTEN}local all all peer\nlocal replication all peer\n` },
  { role: 'ident', name: 'pg_ident.conf', text: WRITTEN },
] as const;

/** Gives the data directory the configuration that lay outside it, or a minimal one where there is none. */
export async function completeConfiguration(
  facts: Facts,
  snapshot: ReadableSnapshot,
  data: string,
  files: RestoredFiles,
  report: Report,
): Promise<void> {
  const captured = await readCaptured(facts, snapshot);
  const included = captured.filter(({ role }) => role === 'included');
  for (const { role, name, text } of MINIMAL) {
    const path = join(data, name);
    const original = captured.find((file) => file.role === role);
    if (original !== undefined) {
      const adapted = role === 'config' ? adaptConfiguration(original, included, existsSync) : original.text;
      await files.write(path, `# From ${original.original}\n${adapted}`);
    } else if (!existsSync(path)) {
      await files.write(path, text);
      report({
        severity: 'note',
        code: 'configuration-minimal',
        prominent: true,
        message: `${name} was not in the snapshot: a minimal one was written, see that it suits`,
        subject: path,
      });
    }
  }
  const isElsewhere = captured.some(({ role }) => role === 'hba' || role === 'ident');
  if (isElsewhere && captured.every(({ role }) => role !== 'config')) await unpin(join(data, 'postgresql.conf'), files);
}

/** A copy that archives as the original did would write into the original's archive. */
export async function warnOfArchiving(data: string, report: Report): Promise<void> {
  const texts = ['postgresql.conf', 'postgresql.auto.conf'].map((name) => readFile(join(data, name), 'utf8'));
  const mode = settingOf((await Promise.all(texts)).join('\n'), 'archive_mode');
  if (mode === undefined || /^(off|false|no|0)$/i.test(mode)) return;
  report({
    severity: 'note',
    code: 'archiving-on',
    prominent: true,
    message: `archive_mode is ${mode} in the restored configuration: unless this server replaces the original, switch it off in ${join(data, 'postgresql.conf')} before the start, or both will write to one WAL archive`,
    subject: data,
  });
}

/** The configuration came with the data directory, but names access rules outside it: the copy has its own. */
async function unpin(path: string, files: RestoredFiles): Promise<void> {
  const text = await readFile(path, 'utf8');
  await files.write(
    path,
    adaptConfiguration({ original: path, text }, [], () => true),
  );
}

async function readCaptured(
  facts: Facts,
  snapshot: ReadableSnapshot,
): Promise<readonly (ConfigurationFile & { role: Facts['configuration'][number]['role'] })[]> {
  return Promise.all(
    facts.configuration.map(async ({ role, original, path }) => {
      const bytes = await snapshot.read(path);
      return { role, original, text: Buffer.from(bytes ?? []).toString('utf8') };
    }),
  );
}
