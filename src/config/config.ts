import path from 'node:path';
import type { ArchiveDestination } from '../domain/archive.ts';
import type { Destination, Plan, PlanSource } from '../domain/plan.ts';
import { parseFolderMark } from '../domain/folder-mark.ts';
import { parseSize } from '../domain/size.ts';
import { toArchive } from './archives.ts';
import { calendarRules } from './calendar.ts';
import { toCredentials } from './credentials.ts';
import { toDrillSettings } from './drill.ts';
import { toEncryption } from './encryptions.ts';
import { keepRules } from './keep.ts';
import { toHooks } from './hooks.ts';
import { absoluteUrl, expandHome, toReference } from './relative.ts';
import type { ConfigFile, SourceSetting } from './schema.ts';
import { toRuntimeTarget } from './runtime.ts';

/** A configuration with its references resolved and its folders made absolute. */
export interface Config {
  /** Absolute path of the file. */
  readonly file: string;
  readonly repositories: ReadonlyMap<string, Destination>;
  /** The repository that is meant where none is named: the default, or the only one. */
  readonly defaultRepository?: string;
  readonly archives: ReadonlyMap<string, ArchiveDestination>;
  readonly plans: ReadonlyMap<string, Plan>;
}

/** @param file its absolute path: what is relative in the file starts from its folder. */
export function toConfig(settings: ConfigFile, file: string): Config {
  const folder = path.dirname(file);
  const defaultRepository = defaultOf(settings);
  const repositories = Object.entries(settings.repositories).map(
    ([name, { url, password, credentials }]): [string, Destination] => [
      name,
      {
        name,
        url: absoluteUrl(url, folder),
        ...(password && { password: toReference(password, folder) }),
        ...(credentials && { credentials: toCredentials(credentials, (secret) => toReference(secret, folder)) }),
      },
    ],
  );
  const plans = Object.entries(settings.plans).map(([name, setting]): [string, Plan] => {
    const repository = setting.repository ?? (setting.archives === undefined ? defaultRepository : undefined);
    return [
      name,
      {
        name,
        sources: toSources(setting.source, folder),
        folder,
        ...(setting.runtime && { runtime: toRuntimeTarget(setting.runtime) }),
        ...(repository !== undefined && { repository }),
        ...(setting.archives && { archives: setting.archives }),
        ...(setting['incremental-archives'] && { incrementalArchives: true }),
        ...(setting['archives-from'] === 'source' && { archivesFromSource: true }),
        type: setting.type,
        tags: setting.tags,
        selection: {
          exclude: setting.exclude,
          iexclude: setting.iexclude,
          oneFileSystem: setting['one-file-system'],
          excludeCaches: setting['exclude-caches'],
          excludeIfPresent: setting['exclude-if-present'].flatMap((text) => parseFolderMark(text) ?? []),
          ...sizeLimit(setting['exclude-larger-than']),
        },
        reading: {
          ignoreInode: setting['ignore-inode'],
          ignoreCtime: setting['ignore-ctime'],
          withAtime: setting['with-atime'],
        },
        skipIfUnchanged: setting['skip-if-unchanged'],
        ...(setting['read-concurrency'] !== undefined && { readConcurrency: setting['read-concurrency'] }),
        acceptDamagedPages: setting['accept-damaged-pages'],
        ...(setting.keep && { keep: keepRules(setting.keep) }),
        ...(setting.drill && { drill: toDrillSettings(setting.drill, folder, expandHome) }),
        ...(setting.calendar && { calendar: calendarRules(setting.calendar) }),
        ...(setting.schedule !== undefined && { schedule: setting.schedule }),
        ...(setting['time-zone'] !== undefined && { timeZone: setting['time-zone'] }),
        ...(setting.hooks && { hooks: toHooks(setting.hooks, (secret) => toReference(secret, folder)) }),
        ...(setting['depends-on'].length > 0 && { dependsOn: setting['depends-on'] }),
      },
    ];
  });
  const encryptions = Object.entries(settings.encryptions).map(
    ([name, setting]) => [name, toEncryption(setting, folder)] as const,
  );
  const archives = Object.entries(settings.archives).map(
    ([name, setting]) => [name, toArchive(name, setting, new Map(encryptions), folder)] as const,
  );
  return {
    file,
    repositories: new Map(repositories),
    archives: new Map(archives),
    ...(defaultRepository !== undefined && { defaultRepository }),
    plans: new Map(plans),
  };
}

function defaultOf({ defaults, repositories }: ConfigFile): string | undefined {
  const [only, ...others] = Object.keys(repositories);
  return defaults.repository ?? (others.length === 0 ? only : undefined);
}

function toSources(setting: SourceSetting, folder: string): readonly [PlanSource, ...PlanSource[]] {
  const [first, ...others] = (Array.isArray(setting) ? setting : [setting]).map((one): PlanSource => {
    if (typeof one === 'string') return { address: expandHome(one) };
    return {
      address: expandHome(one.address),
      ...(one.password && { password: toReference(one.password, folder) }),
    };
  });
  if (!first) throw new TypeError('the schema asks for at least one source');
  return [first, ...others];
}

/** The schema has accepted it. */
function sizeLimit(text: string | undefined): { excludeLargerThan?: number } {
  const size = text === undefined ? undefined : parseSize(text);
  return size === undefined ? {} : { excludeLargerThan: size };
}
