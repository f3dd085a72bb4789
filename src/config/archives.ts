import { z } from 'zod';
import {
  COMPRESSIONS,
  CONFIRMATIONS,
  LEVELS,
  type ArchiveDestination,
  type EncryptionReference,
} from '../domain/archive.ts';
import { credentialsSchema, toCredentials } from './credentials.ts';
import { absolutePath, absoluteUrl, toReference } from './relative.ts';

const text = z.string().min(1, 'must not be empty');

export const USUAL_TEMPLATE = '{plan}/{database}-{time}';

/** Where portable files go, and how they are made. */
export const archiveSchema = z
  .strictObject({
    url: text.meta({
      title: 'Address',
      description: 'Where the files lie: a folder, relative to the folder of this configuration, or a store elsewhere.',
      examples: ['./archives', 'sftp:backup@host:/srv/archives', 's3:https://host/bucket/archives'],
    }),
    credentials: credentialsSchema.optional(),
    name: text.default(USUAL_TEMPLATE).meta({
      title: 'Name',
      description:
        'Of each file: {plan}, {database} (or {name}: of the database or folder), {host}, {time}, {date}, {year}, {month}, {day}; a / makes folders. Endings such as .sql.gz.gpg are added.',
      examples: ['{plan}-{database}-{time}', '{year}/{month}/{plan}-{database}-{time}'],
    }),
    compression: z
      .enum(COMPRESSIONS)
      .default('gzip')
      .meta({ title: 'Compression', description: 'By what the files are compressed; zstd is the fastest.' }),
    level: z.int().optional().meta({
      title: 'Level',
      description: 'Of the compression: the higher, the smaller and slower. Default: the usual one of the program.',
    }),
    encryption: text.optional().meta({
      title: 'Encryption',
      description: 'Name of an entry under encryptions. Without it nothing is encrypted.',
    }),
    confirm: z.enum(CONFIRMATIONS).optional().meta({
      title: 'Confirm',
      description:
        'How it is made sure that a file has arrived: size asks for its size; checksum compares the checksum that a server keeps of it, and reads the file back where there is none; read always reads it back. Default: checksum where files come from a temporary folder, and for SFTP and WebDAV; else the checksum of the server if it keeps one, or the size.',
    }),
    temp: text.optional().meta({
      title: 'Temporary folder',
      description:
        'A folder of this machine where each file is made before it is sent, so that a failed upload can be repeated. Without it no temporary file is made.',
    }),
  })
  .superRefine(({ compression, level }, context) => {
    if (level === undefined) return;
    const range = compression === 'none' ? undefined : LEVELS[compression];
    if (range !== undefined && level >= range.least && level <= range.most) return;
    const message =
      range === undefined
        ? 'there is no level without a compression'
        : `must be from ${String(range.least)} to ${String(range.most)} for ${compression}`;
    context.addIssue({ code: 'custom', message, path: ['level'] });
  })
  .meta({ title: 'Archive', description: 'Portable files in a store, one for each database or folder.' });

/** Of a plan. */
export const planArchivesSchema = z
  .union([text, z.array(text).min(1, 'must name at least one archive')])
  .transform((names) => [...new Set(Array.isArray(names) ? names : [names])])
  .meta({
    title: 'Archives',
    description:
      'Names of archives of this file that its portable files go to. A plan with archives goes to a repository only if it names one.',
  });

/** @param folder of the configuration: an absolute path */
export function toArchive(
  name: string,
  setting: z.output<typeof archiveSchema>,
  encryptions: ReadonlyMap<string, EncryptionReference>,
  folder: string,
): ArchiveDestination {
  const { url, credentials, name: template, compression, level, encryption, confirm, temp } = setting;
  const reference = encryption === undefined ? undefined : encryptions.get(encryption);
  return {
    name,
    url: absoluteUrl(url, folder),
    ...(credentials && { credentials: toCredentials(credentials, (secret) => toReference(secret, folder)) }),
    template,
    compression: { name: compression, ...(level !== undefined && { level }) },
    ...(reference && encryption !== undefined && { encryption: { ...reference, name: encryption } }),
    ...(confirm && { confirm }),
    ...(temp !== undefined && { temp: absolutePath(temp, folder) }),
  };
}
