/** Which files of an archive stay, by the rules of the plan that made them. Nothing here removes anything. */
import { chainOf } from '../archive/index.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { judgeByCalendar } from '../domain/calendar.ts';
import { isLogStretch, LOG_NEEDED, neededStretches } from '../domain/log-stretch.ts';
import type { Plan } from '../domain/plan.ts';
import { planRetention } from '../domain/retention.ts';
import { INCOMPLETE_TAG, isIncomplete } from '../domain/snapshot.ts';
import { typeTag } from '../domain/strategy.ts';
import type { Verdict } from '../domain/verdict.ts';
import { isError } from '../errors.ts';
import type { FoundFile } from './archive-files.ts';
import { basisOf, failureOf, latestBackup, type RetentionBasis } from './retention.ts';

/** A file as the rules see it: they were made for snapshots. */
export interface AgedFile {
  /** Its key. */
  readonly id: string;
  readonly time: string;
  readonly tags: readonly string[];
  readonly hostname: string;
  readonly paths: readonly string[];
  readonly file: FoundFile;
}

export interface ArchiveRetentionRequest {
  /** One that has a name. */
  readonly plan: Plan & { readonly name: string };
  readonly archive: string;
  /** Of the archive's store, as runs remember it. */
  readonly location: string;
  /** All of the archive. */
  readonly files: readonly FoundFile[];
  /** Files of other hosts are not the plan's own. */
  readonly hostname: string;
  readonly evenIfFailing: boolean;
  readonly now: Date;
}

/** What is to become of a plan's files in one archive, as data: to be shown before anything is removed. */
export interface ArchiveOutlook {
  readonly plan: string;
  readonly archive: string;
  readonly basis: RetentionBasis;
  /** Why nothing goes for now. */
  readonly hold?: string;
  /** Of each database or folder, newest first. */
  readonly groups: readonly { readonly database: string; readonly verdicts: readonly Verdict<AgedFile>[] }[];
  /** In the order in which they may go: what others build upon after those. */
  readonly remove: readonly FoundFile[];
}

/**
 * Judges the files of each database or folder by themselves. The newest whole one stays whatever the rules say, and with a
 * file all that it builds upon. A file that is damaged takes nobody's place, and is left alone.
 */
export async function planArchiveRetention(
  request: ArchiveRetentionRequest,
  catalog: Pick<Catalog, 'runs'>,
): Promise<ArchiveOutlook> {
  const { plan, archive, location, files, hostname, evenIfFailing, now } = request;
  const own = files.filter(
    ({ manifest, state }) => state === 'whole' && manifest.plan === plan.name && manifest.hostname === hostname,
  );
  const groups = Array.from(Map.groupBy(own, groupOf).values(), (members) => ({
    database: members[0]?.manifest.facts['log'] ?? members[0]?.manifest.database ?? '',
    verdicts: withChains(guarded(judged(members.map(aged), plan, now)), members),
  }));
  const guardedGroups = guardLogs(groups, files);
  const run = await latestBackup(plan.name, location, catalog);
  const failure = run === undefined || evenIfFailing ? undefined : failureOf(run);
  const goes = guardedGroups.flatMap(({ verdicts }) =>
    verdicts.filter(({ kept }) => !kept).map(({ snapshot }) => snapshot.file),
  );
  return {
    plan: plan.name,
    archive,
    basis: basisOf(plan),
    ...(failure !== undefined && { hold: failure }),
    groups: guardedGroups,
    remove: failure === undefined ? goes.toSorted((a, b) => levelOf(b) - levelOf(a)) : [],
  };
}

/** Files of a server's log stay that lead on from a base which stays, and between two that stay none is missing. */
function guardLogs(groups: ArchiveOutlook['groups'], files: readonly FoundFile[]): ArchiveOutlook['groups'] {
  const goes = groups.flatMap(({ verdicts }) => verdicts.filter(({ kept }) => !kept).map(({ snapshot }) => snapshot));
  const gone = new Set(goes.map(({ id }) => id));
  const rest = files.filter(({ key, state }) => state === 'whole' && !gone.has(key)).map(aged);
  const needed = neededStretches(goes.filter(isLogStretch), rest);
  return groups.map(({ database, verdicts }) => ({
    database,
    verdicts: verdicts.map((one) =>
      needed.has(one.snapshot.id) ? { ...one, kept: true, reasons: [LOG_NEEDED] } : one,
    ),
  }));
}

function groupOf({ manifest: { source, database, facts } }: FoundFile): string {
  if (facts.log !== undefined) return JSON.stringify([source, 'log', facts.log]);
  return JSON.stringify([source, database, facts.path]);
}

function aged(file: FoundFile): AgedFile {
  const { key, manifest } = file;
  const { time, hostname, facts } = manifest;
  const type = typeTag(levelOf(file) > 0 ? 'incremental' : 'full');
  const isBase = manifest.source === 'mysql' && facts.holds === undefined;
  return {
    id: key,
    time,
    hostname,
    // Of whatever server a dump is; accounts are no base that a log leads on from.
    paths: facts.log !== undefined ? [facts.log] : isBase ? ['/mysql/server'] : [],
    tags: facts.incomplete === undefined ? [type] : [type, INCOMPLETE_TAG],
    file,
  };
}

function levelOf({ manifest }: FoundFile): number {
  return manifest.chain?.level ?? 0;
}

/** Newest first. */
function judged(files: readonly AgedFile[], plan: Plan, now: Date): readonly Verdict<AgedFile>[] {
  const { calendar, keep, timeZone } = plan;
  switch (basisOf(plan)) {
    case 'calendar':
      return calendar === undefined ? [] : judgeByCalendar(files, calendar, timeZone);
    case 'keep': {
      const { keep: kept, remove } = planRetention(files, keep ?? {}, now);
      const verdicts = [
        ...kept.map(({ snapshot, reasons }) => ({ snapshot, kept: true, reasons })),
        ...remove.map((snapshot) => ({ snapshot, kept: false, reasons: ['no rule keeps it'] })),
      ];
      return verdicts.toSorted((a, b) => Date.parse(b.snapshot.time) - Date.parse(a.snapshot.time));
    }
    case 'nothing':
      return files.toReversed().map((snapshot) => ({ snapshot, kept: true, reasons: ['the plan has no rules'] }));
  }
}

/** The newest complete one stays; where none is complete, the newest. */
function guarded(verdicts: readonly Verdict<AgedFile>[]): readonly Verdict<AgedFile>[] {
  const last = verdicts.find(({ snapshot }) => !isIncomplete(snapshot)) ?? verdicts[0];
  return verdicts.map((one) =>
    one === last && !one.kept ? { ...one, kept: true, reasons: ['the last complete one'] } : one,
  );
}

/** With a file that stays all those stay that it is restored from. */
function withChains(verdicts: readonly Verdict<AgedFile>[], files: readonly FoundFile[]): readonly Verdict<AgedFile>[] {
  const needed = new Set(
    verdicts
      .filter(({ kept }) => kept)
      .flatMap(({ snapshot }) => chainOrNothing(snapshot.file, files).map(({ key }) => key)),
  );
  return verdicts.map((one) =>
    one.kept || !needed.has(one.snapshot.id)
      ? one
      : { ...one, kept: true, reasons: ['others that stay build upon it'] },
  );
}

/** Of a chain that is broken already nothing more is lost. */
function chainOrNothing(file: FoundFile, files: readonly FoundFile[]): readonly FoundFile[] {
  try {
    return chainOf(file, files);
  } catch (error) {
    if (isError(error, 'source-damaged')) return [];
    throw error;
  }
}
