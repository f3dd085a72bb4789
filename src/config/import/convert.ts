/** A `config.yaml` of backup.py as a `respaldo.yaml` that does the same. Pure. */
import { Archives, asFolder, type NewArchive, soundName } from './archives.ts';
import { KNOWN, type OldConfig, type OldDirectory } from './old-config.ts';
import { Report, type ReportLine } from './report.ts';
import { SecretFiles } from './secrets.ts';
import { databasesSource } from './databases.ts';

/** As respaldo.yaml writes one. */
export interface NewPlan {
  readonly source: string | { readonly address: string; readonly password: { readonly file: string } };
  readonly archives: readonly string[];
  readonly 'incremental-archives'?: true;
  readonly type?: 'incremental';
}

export interface Imported {
  /** What respaldo.yaml holds. */
  readonly settings: {
    readonly archives: Readonly<Record<string, NewArchive>>;
    readonly encryptions?: Readonly<Record<string, { readonly gpg: { readonly recipients: readonly string[] } }>>;
    readonly plans: Readonly<Record<string, NewPlan>>;
  };
  /** What the files beside it hold, by path. Never logged. */
  readonly secrets: ReadonlyMap<string, string>;
  readonly report: readonly ReportLine[];
}

export interface ImportQuestion {
  readonly old: OldConfig;
  /** Where secrets go, relative to the new configuration. */
  readonly secretsFolder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Why the dump program would not be given an argument; undefined: it would. */
  readonly refusalOf: (argument: string) => string | undefined;
}

/** @throws RespaldoError `config` for what would be less safe than it was */
export function convert({ old, secretsFolder, env, refusalOf }: ImportQuestion): Imported {
  const report = new Report();
  const secrets = new SecretFiles(secretsFolder);
  report.unknown(old, KNOWN.root);
  report.below('sources').unknown(old.sources ?? {}, KNOWN.sources);
  const archives = new Archives(old, env, secrets, report);
  const plans = new Map<string, NewPlan>();
  const add = (name: string, plan: NewPlan, at: Report): void => {
    const called = freeName(soundName(name), plans);
    if (called !== name) at.attention('name', `is plans.${called} now`);
    plans.set(called, plan);
  };
  for (const [name, source] of Object.entries(old.sources?.mysqldump ?? {})) {
    const at = report.below(`sources.mysqldump.${name}`);
    at.unknown(source, KNOWN.mysqldump);
    const converted = databasesSource(name, source, secrets, refusalOf, at);
    if (converted !== undefined) add(name, { source: converted, archives: archives.of(source, at) }, at);
  }
  for (const [name, source] of Object.entries(old.sources?.directories ?? {})) {
    const at = report.below(`sources.directories.${name}`);
    at.unknown(source, KNOWN.directory);
    add(name, { ...directorySource(source, at), archives: archives.of(source, at) }, at);
  }
  const encryptions = encryptionsOf(old, archives, report);
  tellDestinations(old, report);
  return {
    settings: {
      archives: Object.fromEntries(archives.all),
      ...(Object.keys(encryptions).length > 0 && { encryptions }),
      plans: Object.fromEntries(plans),
    },
    secrets: secrets.files,
    report: report.lines,
  };
}

function directorySource(
  { path, incremental = false, incremental_snapshot: snapshot }: OldDirectory,
  report: Report,
): Omit<NewPlan, 'archives'> {
  const source = asFolder(path);
  report.taken('path', 'source of its plan');
  if (!path.startsWith('/')) report.attention('path', 'is relative: it starts from the folder of respaldo.yaml now');
  if (!incremental) {
    if (snapshot !== undefined) report.needless('incremental_snapshot', 'nothing was incremental');
    return { source };
  }
  report.taken(
    'incremental',
    'incremental-archives: true, type: incremental; leave type out to get a whole one each week',
  );
  if (snapshot !== undefined)
    report.needless(
      'incremental_snapshot',
      'is kept for each plan where Respaldo keeps its state; the first archive is whole',
    );
  return { source, 'incremental-archives': true, type: 'incremental' };
}

/** Those that somebody uses: one that nobody does might name a key that is not there. */
function encryptionsOf(
  { encryptions = {} }: OldConfig,
  archives: Archives,
  report: Report,
): Record<string, { gpg: { recipients: string[] } }> {
  const used = new Set([...archives.all.values()].flatMap(({ encryption: called }) => called ?? []));
  const made: Record<string, { gpg: { recipients: string[] } }> = {};
  for (const [name, old] of Object.entries(encryptions)) {
    const at = report.below(`encryptions.${name}`);
    at.unknown(old, KNOWN.encryption);
    if (!used.has(archives.encryptions.get(name) ?? name)) {
      at.needless('method', 'no source uses it');
      continue;
    }
    const called = archives.encryptions.get(name) ?? name;
    at.taken('method', `encryptions.${called}.gpg`);
    at.taken('recipient', `encryptions.${called}.gpg.recipients`);
    made[called] = { gpg: { recipients: [old.recipient] } };
  }
  return made;
}

/** What is told of destinations beside what becomes of them. */
function tellDestinations({ destinations = {}, sources }: OldConfig, report: Report): void {
  const used = [...Object.values(sources?.mysqldump ?? {}), ...Object.values(sources?.directories ?? {})].flatMap(
    ({ destination }) => destination ?? [],
  );
  for (const [name, old] of Object.entries(destinations)) {
    const at = report.below(`destinations.${name}`);
    at.unknown(old, KNOWN.destination);
    if (!used.includes(name)) at.needless('method', 'no source uses it');
  }
}

function freeName(name: string, taken: ReadonlyMap<string, unknown>): string {
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? name : `${name}-${String(number)}`;
    if (!taken.has(candidate)) return candidate;
  }
}
