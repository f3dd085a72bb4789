/** Imports another program's configuration: read, converted, checked as our own, written. */
import path from 'node:path';
import { stringify } from 'yaml';
import { RespaldoError } from '../../errors.ts';
import { addressChecks } from '../addresses.ts';
import { readConfig } from '../load.ts';
import { parseConfig } from '../parse.ts';
import { convert, type Imported } from './convert.ts';
import { parseOldConfig } from './old-config.ts';

export interface ImportedConfig extends Pick<Imported, 'secrets' | 'report'> {
  /** Of the new respaldo.yaml; holds no secret. */
  readonly text: string;
  readonly plans: number;
}

/** Beside the new configuration. */
const SECRETS_FOLDER = 'respaldo-secrets';

/**
 * Reads the file and makes a configuration of it, which is valid.
 * @param file an absolute path
 * @param target where the new one is going to lie: an absolute path
 * @throws RespaldoError `config` with each mistake and its place
 */
export async function importConfig(
  file: string,
  target: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ImportedConfig> {
  const shown = path.basename(file);
  const old = parseOldConfig(await readConfig(file, true), shown);
  const { sourceComplaint } = await import('./source-complaint.ts');
  const { settings, secrets, report } = convert({
    old,
    secretsFolder: SECRETS_FOLDER,
    env,
    refusalOf: (argument) => sourceComplaint(`mysql://localhost/?arg=${encodeURIComponent(argument)}`),
  });
  const head = [
    ` Imported from ${shown}.`,
    ...(secrets.size > 0
      ? [` Passwords and keys are in ${SECRETS_FOLDER}/, in files that only their owner may read.`]
      : []),
    ' After a change: respaldo config validate. All keys: respaldo config schema',
  ];
  const text = `${head.map((line) => `#${line}\n`).join('')}\n${stringify(settings, { lineWidth: 0 })}`;
  await requireValid(text, target, shown);
  return { text, plans: Object.keys(settings.plans).length, secrets, report };
}

/** What the old program took and this one does not: a bucket with an impossible name, a pattern that is none. */
async function requireValid(text: string, target: string, shown: string): Promise<void> {
  const { problems } = await parseConfig(text, target, addressChecks(path.dirname(target)));
  if (problems === undefined) return;
  throw new RespaldoError(
    'config',
    [
      `what would become of ${shown} is not valid:`,
      ...problems.map(({ path: key, message }) => `${key}: ${message}`),
    ].join('\n'),
    { hint: `Correct it in ${shown}, and import it again.` },
  );
}
