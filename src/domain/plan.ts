import type { DrillSettings } from './drill.ts';
import type { Reading, Selection } from './entry.ts';
import type { Hooks } from './hook.ts';
import type { RuntimeTarget } from './runtime-target.ts';
import type { SecretReference } from './secret.ts';
import type { SnapshotType } from './snapshot.ts';

export type { SecretReference };

/** One thing to protect, and the password it wants where its address cannot say. */
export interface PlanSource {
  readonly address: string;
  readonly password?: SecretReference;
}

/** What a backup may be asked to be; `auto` leaves it to the strategy. */
export type WantedType = 'auto' | SnapshotType;

/** A configured backup, or the one that a command line describes. */
export interface Plan {
  /** Absent for what a command line describes. */
  readonly name?: string;
  readonly sources: readonly [PlanSource, ...PlanSource[]];
  /** Absent: this host. */
  readonly runtime?: RuntimeTarget;
  /** The folder that relative addresses start from: an absolute path. */
  readonly folder: string;
  /** Name of a repository of the configuration; absent: the one that the command means, or none if there are archives. */
  readonly repository?: string;
  /** Names of archives of the configuration that its portable files go to. */
  readonly archives?: readonly string[];
  /** Archives of folders hold only what has changed since the last one; `type` says which are whole. */
  readonly incrementalArchives?: boolean;
  /** Archives of databases are not made of the snapshot that the same run has taken: the source is read again. */
  readonly archivesFromSource?: boolean;
  readonly type: WantedType;
  /** The user's own tags, without those that Respaldo adds. */
  readonly tags: readonly string[];
  readonly selection: Selection;
  readonly reading?: Reading;
  /** Take no snapshot that would hold exactly what its parent holds. */
  readonly skipIfUnchanged?: boolean;
  /** Files that are read at once. */
  readonly readConcurrency?: number;
  /** Store a database's snapshot, as incomplete, although damaged pages were found. */
  readonly acceptDamagedPages: boolean;
  /** Which snapshots stay; never together with `calendar`. Neither: all of them. */
  readonly keep?: KeepRules;
  /** How its snapshots are proven. */
  readonly drill?: DrillSettings;
  readonly calendar?: CalendarRules;
  /** When it is expected to be run: a cron expression of five fields, or a word such as `@daily`. */
  readonly schedule?: string;
  /** In which its days begin and its schedule is meant: `Europe/Madrid`. Absent: this machine's. */
  readonly timeZone?: string;
  /** What is done around its backups. */
  readonly hooks?: Hooks;
  /** Plans that are backed up before this one where they are run together; it is left out if one of them fails. */
  readonly dependsOn?: readonly string[];
}

/** Whether it goes to a repository: one that names archives alone does not. */
export function hasRepository({ archives, repository }: Pick<Plan, 'archives' | 'repository'>): boolean {
  return archives === undefined || repository !== undefined;
}

/** A repository of the configuration. */
export interface Destination {
  readonly name: string;
  /** Relative folders are absolute already. */
  readonly url: string;
  readonly password?: SecretReference;
  readonly credentials?: CredentialReferences;
}

/** Where the keys of a store come from, or its password. */
export type CredentialReferences =
  | {
      readonly accessKeyId: SecretReference;
      readonly secretAccessKey: SecretReference;
      readonly sessionToken?: SecretReference;
    }
  | { readonly password: SecretReference };

/** What a store asks for: never logged. */
export type StoreCredentials = AccessKeys | { readonly password: string };

/** Of S3. */
export interface AccessKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of keys that are good for a limited time. */
  readonly sessionToken?: string;
}

/** Which snapshots `forget` keeps: restic's rules. Counts may be `Infinity`; durations are such as `1y6m7d12h`. */
export interface KeepRules {
  readonly last?: number;
  readonly hourly?: number;
  readonly daily?: number;
  readonly weekly?: number;
  readonly monthly?: number;
  readonly yearly?: number;
  readonly within?: string;
  readonly withinHourly?: string;
  readonly withinDaily?: string;
  readonly withinWeekly?: string;
  readonly withinMonthly?: string;
  readonly withinYearly?: string;
  readonly tags?: readonly string[];
}

/** How many snapshots of each class stay; `Infinity`: all. */
export interface CalendarRules {
  /** Taken from Monday to Saturday. */
  readonly daily: number;
  /** Taken on a Sunday. */
  readonly weekly: number;
  /** Taken on the first day of a month. */
  readonly monthly: number;
  /** Taken on 1 January. */
  readonly yearly: number;
  /** That read everything anew, whenever they were taken. */
  readonly full: number;
}
