import { z } from 'zod';
import { isTimeZone } from '../domain/calendar-day.ts';
import { CALENDAR_DEFAULTS } from '../domain/calendar.ts';
import { parseFolderMark } from '../domain/folder-mark.ts';
import { malformedPatterns } from '../domain/pattern.ts';
import { parseSize } from '../domain/size.ts';
import { archiveSchema, planArchivesSchema } from './archives.ts';
import { credentialsSchema } from './credentials.ts';
import { drillSchema } from './drill.ts';
import { encryptionSchema } from './encryptions.ts';
import { hooksSchema } from './hooks.ts';
import { NAME } from './names.ts';
import { runtimeSchema } from './runtime.ts';
import { ADDRESSES } from '../sources/index.ts';
import { scheduleComplaint } from './schedule.ts';
import { secretSchema as secret } from './secret.ts';

/**
 * The one declaration of `respaldo.yaml`: it validates, and gives editors their JSON Schema with titles and
 * descriptions. Keys are kebab-case. `docs/guides/configuration.md` tells the same story in prose.
 */

const DURATION = /^(\d{1,9}[ymdh])+$/;

const text = z.string().min(1, 'must not be empty');

/** By name. Names are judged apart from the schema, so that what a wrong one stands for is judged all the same. */
const named = <T extends z.ZodType>(value: T) =>
  z
    .record(z.string(), value)
    .default({})
    .meta({ propertyNames: { pattern: NAME.source } });

const repository = z
  .strictObject({
    url: text.meta({
      title: 'Address',
      description:
        'Where the repository lies: a folder, relative to the folder of this configuration, one of a server that speaks SFTP or WebDAV, or a bucket of one that speaks S3.',
      examples: ['./backups', '/srv/respaldo', 'sftp:backup@host:/srv/respaldo', 's3:https://host/bucket/respaldo'],
    }),
    password: secret.optional().meta({ title: 'Password', description: 'Opens the repository.' }),
    credentials: credentialsSchema.optional(),
  })
  .meta({
    title: 'Repository',
    description: 'Deduplicated, encrypted snapshots in a store (restic format version 2).',
  });

const address = text.meta({
  title: 'Address',
  description: `${ADDRESSES.slice(0, 1).toUpperCase()}${ADDRESSES.slice(1)}.`,
  examples: [
    './files',
    'postgresql://postgres@localhost:5432/?method=physical',
    'postgresql://postgres@localhost:5432/shop?method=logical',
    'docker-volume:shop_uploads',
  ],
});

const sourceWithPassword = z
  .strictObject({
    address,
    password: secret.optional().meta({ title: 'Password', description: 'The password of the database.' }),
  })
  .meta({ title: 'Source with a password' });

const source = z
  .union([
    address,
    sourceWithPassword,
    z.array(z.union([address, sourceWithPassword])).min(1, 'must name at least one address'),
  ])
  .meta({
    title: 'Source',
    description:
      'What is protected: an address, { address, password }, or a list of them. Folders of one plan share a snapshot.',
  });

const pattern = text.refine(
  (value) => malformedPatterns([value]).length === 0,
  'is a malformed pattern: a [ must be ended by a ], and a \\ must stand before another character',
);

const count = (unit: string) =>
  z
    .union([z.int().min(0, 'must be 0 or more'), z.literal('unlimited')])
    .optional()
    .meta({ description: `How many ${unit} to keep; unlimited keeps all.` });
const within = (unit: string) =>
  z
    .string()
    .regex(DURATION, 'must be a duration such as 1y6m7d12h')
    .optional()
    .meta({ description: `Keep ${unit} of this long before the newest snapshot, such as 1y6m7d12h.` });

/** A count or time of nothing, or no tags, is no rule. */
function isRule(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return typeof value === 'string' ? !/^(0+[ymdh])+$/.test(value) : value !== 0;
}

const keep = z
  .strictObject({
    last: count('of the newest snapshots'),
    hourly: count('hours with their last snapshot'),
    daily: count('days with their last snapshot'),
    weekly: count('weeks with their last snapshot'),
    monthly: count('months with their last snapshot'),
    yearly: count('years with their last snapshot'),
    within: within('every snapshot'),
    'within-hourly': within('the last snapshot of each hour'),
    'within-daily': within('the last snapshot of each day'),
    'within-weekly': within('the last snapshot of each week'),
    'within-monthly': within('the last snapshot of each month'),
    'within-yearly': within('the last snapshot of each year'),
    tags: z.array(text).optional().meta({ description: 'Keep every snapshot that has one of these tags.' }),
  })
  .refine((rules) => Object.values(rules).some(isRule), 'must keep something, such as daily: 7')
  .meta({
    title: 'Keep',
    description: 'Which snapshots `respaldo forget` keeps; the rules are restic’s.',
    minProperties: 1,
  });

const places = (usual: number, what: string) =>
  z
    .union([z.int().min(0, 'must be 0 or more'), z.literal('unlimited')])
    .default(usual)
    .meta({ description: `How many ${what} to keep; unlimited keeps all.` });

const calendar = z
  .strictObject({
    daily: places(CALENDAR_DEFAULTS.daily, 'snapshots taken from Monday to Saturday'),
    weekly: places(CALENDAR_DEFAULTS.weekly, 'snapshots taken on a Sunday'),
    monthly: places(CALENDAR_DEFAULTS.monthly, 'snapshots taken on the first of a month'),
    yearly: places(CALENDAR_DEFAULTS.yearly, 'snapshots taken on 1 January'),
    full: places(CALENDAR_DEFAULTS.full, 'full snapshots, whenever they were taken,'),
  })
  .refine((rules) => Object.values(rules).some(isRule), 'must keep something, such as daily: 7')
  .meta({
    title: 'Calendar',
    description: 'Which snapshots stay, by the day on which they were taken. Instead of keep.',
  });

const plan = z
  .strictObject({
    source,
    drill: drillSchema.optional(),
    runtime: runtimeSchema.optional(),
    repository: text.optional().meta({
      title: 'Repository',
      description: 'Name of a repository of this file. May be left out if there is one, or a default.',
    }),
    archives: planArchivesSchema.optional(),
    'incremental-archives': z.boolean().default(false).meta({
      title: 'Incremental archives',
      description:
        'Archives of folders (by GNU tar) and of MariaDB’s files (method=physical) hold only what has changed since the last one; with type auto every sixth one, and one a week, is whole.',
    }),
    'archives-from': z.enum(['snapshot', 'source']).default('snapshot').meta({
      title: 'Archives from',
      description:
        'Of a plan with both: snapshot makes the archives of databases of the snapshot just taken, so that a database is read once; source reads it again.',
    }),
    type: z.enum(['auto', 'full', 'differential', 'incremental']).default('auto').meta({
      title: 'Type',
      description:
        'full reads everything anew; differential compares with the last full; incremental with the last snapshot; auto decides.',
    }),
    tags: z
      .array(text.regex(/^[^,]*$/, 'a tag holds no comma'))
      .default([])
      .meta({ title: 'Tags', description: 'Tags of each snapshot, beside plan=<name>.' }),
    exclude: z
      .array(pattern)
      .default([])
      .meta({ title: 'Exclude', description: 'Patterns of what is left out of folders; restic’s patterns.' }),
    iexclude: z.array(pattern).default([]).meta({
      title: 'Exclude, ignoring case',
      description: 'The same, upper and lower case being the same.',
    }),
    'one-file-system': z
      .boolean()
      .default(false)
      .meta({ title: 'One file system', description: 'Do not cross into other file systems.' }),
    'exclude-caches': z
      .boolean()
      .default(false)
      .meta({ title: 'Exclude caches', description: 'Leave out folders marked by a CACHEDIR.TAG.' }),
    'exclude-if-present': z
      .array(text.refine((value) => parseFolderMark(value) !== undefined, 'must be a file name, or name:header'))
      .default([])
      .meta({
        title: 'Exclude if present',
        description: 'Leave out what lies in folders that hold such a file: name, or name:header if it must begin so.',
        examples: [['.nobackup']],
      }),
    'exclude-larger-than': z
      .string()
      .refine((value) => parseSize(value) !== undefined, 'must be a size such as 500M or 2G')
      .optional()
      .meta({ title: 'Exclude larger files', description: 'Leave out larger files: a size such as 500M or 2G.' }),
    'ignore-inode': z.boolean().default(false).meta({
      title: 'Ignore inode',
      description: 'Take a file for unchanged although its inode and time of change differ: for network file systems.',
    }),
    'ignore-ctime': z.boolean().default(false).meta({
      title: 'Ignore ctime',
      description: 'Take a file for unchanged although its time of change differs.',
    }),
    'with-atime': z
      .boolean()
      .default(false)
      .meta({ title: 'With atime', description: 'Store when files were last read.' }),
    'skip-if-unchanged': z.boolean().default(false).meta({
      title: 'Skip if unchanged',
      description: 'Take no snapshot that would hold exactly what the last one holds.',
    }),
    'read-concurrency': z
      .int()
      .min(1, 'must be 1 or more')
      .optional()
      .meta({ title: 'Read concurrency', description: 'How many files are read at once.' }),
    'accept-damaged-pages': z.boolean().default(false).meta({
      title: 'Accept damaged pages',
      description:
        'Store the snapshot of a database, as incomplete, although damaged pages were found (PostgreSQL, SQLite).',
    }),
    keep: keep.optional(),
    calendar: calendar.optional(),
    schedule: text
      .superRefine((value, context) => {
        const message = scheduleComplaint(value);
        if (message !== undefined) context.addIssue({ code: 'custom', message });
      })
      .optional()
      .meta({
        title: 'Schedule',
        description: 'When it is expected to be run: minute, hour, day, month, weekday, as cron has them.',
        examples: ['0 2 * * *', '30 */4 * * 1-5', '@daily'],
      }),
    'time-zone': text
      .refine(isTimeZone, 'there is no such time zone: write it as Europe/Madrid or UTC')
      .optional()
      .meta({
        title: 'Time zone',
        description:
          'In which its days begin and its schedule is meant, such as Europe/Madrid. Default: this machine’s.',
      }),
    hooks: hooksSchema.optional(),
    'depends-on': z.array(text).default([]).meta({
      title: 'Depends on',
      description: 'Plans that are run before this one where both are run; if one of them fails this one is left out.',
    }),
  })
  .refine(({ keep, calendar }) => keep === undefined || calendar === undefined, {
    error: 'a plan has keep or calendar, not both: leave one of them out',
    path: ['calendar'],
  })
  .meta({ title: 'Plan', description: 'A configured backup.' });

/** `respaldo.yaml` */
export const configSchema = z
  .strictObject({
    repositories: named(repository).meta({ title: 'Repositories', description: 'Where snapshots go, by name.' }),
    archives: named(archiveSchema).meta({ title: 'Archives', description: 'Where portable files go, by name.' }),
    encryptions: named(encryptionSchema).meta({
      title: 'Encryptions',
      description: 'How the files of archives are encrypted, by name.',
    }),
    plans: named(plan).meta({ title: 'Plans', description: 'What is backed up, by name.' }),
    defaults: z
      .strictObject({
        repository: text.optional().meta({ title: 'Repository', description: 'Used where none is named.' }),
      })
      .default({})
      .meta({ title: 'Defaults' }),
  })
  .meta({ title: 'respaldo.yaml', description: 'Configuration of Respaldo.' });

/** A valid file's content, before references and folders are resolved. */
export type ConfigFile = z.output<typeof configSchema>;
export type SourceSetting = z.output<typeof source>;
export type KeepSetting = z.output<typeof keep>;
export type CalendarSetting = z.output<typeof calendar>;

/** The part of JSON Schema that ours uses. */
export interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly enum?: readonly string[];
  readonly [keyword: string]: unknown;
}

/** The declaration as JSON Schema (draft 7, which every YAML editor reads). */
export function configJsonSchema(): JsonSchema {
  return z.toJSONSchema(configSchema, { target: 'draft-7', io: 'input' }) as JsonSchema;
}
