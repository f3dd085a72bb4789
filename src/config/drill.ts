import path from 'node:path';
import { z } from 'zod';
import { DEFAULT_DRILL, type Assertion, type DrillSettings } from '../domain/drill.ts';
import { secondsOf, timeSchema } from './seconds.ts';

const text = z.string().min(1, 'must not be empty');
const sql = text.meta({
  title: 'SQL',
  description: 'One SELECT that gives one value.',
  examples: ['SELECT count(*) > 0 FROM orders'],
});
const bound = (description: string) => z.number().optional().meta({ description });

const judged = z
  .strictObject({
    sql,
    database: text.optional().meta({
      title: 'Database',
      description: 'Where it is asked. Absent: the only one that is not the server’s own.',
    }),
    equals: z
      .union([text, z.number(), z.boolean()])
      .optional()
      .meta({ description: 'What the value must be. Without this and the bounds it must be true.' }),
    'at-least': bound('The least that the value may be.'),
    'at-most': bound('The most that the value may be.'),
  })
  .meta({ title: 'Assertion with its terms' });

export const drillSchema = z
  .strictObject({
    assertions: z
      .array(z.union([sql, judged]))
      .default([])
      .meta({ title: 'Assertions', description: 'What must be true of the restored database.' }),
    timeout: timeSchema
      .optional()
      .meta({ title: 'Timeout', description: 'How long each assertion may take: 90s, 5m, 1h. Default: 5m.' }),
    folder: text.optional().meta({
      title: 'Folder',
      description: 'Where to restore to for the time of the drill. Default: the system’s folder for temporary files.',
    }),
    image: text.optional().meta({
      title: 'Image',
      description: 'Of a container of this machine’s engine that the server runs in. Default: programs of this host.',
      examples: ['postgres:17'],
    }),
  })
  .meta({ title: 'Drill', description: 'How `respaldo verify` proves the snapshots of this plan.' });

/** @param folder that of the configuration, which relative paths start from. */
export function toDrillSettings(
  setting: z.output<typeof drillSchema>,
  folder: string,
  expandHome: (text: string) => string,
): DrillSettings {
  return {
    assertions: setting.assertions.map(toAssertion),
    timeoutSeconds: setting.timeout === undefined ? DEFAULT_DRILL.timeoutSeconds : secondsOf(setting.timeout),
    ...(setting.folder !== undefined && { folder: path.resolve(folder, expandHome(setting.folder)) }),
    ...(setting.image !== undefined && { image: setting.image }),
  };
}

function toAssertion(setting: z.output<typeof drillSchema>['assertions'][number]): Assertion {
  if (typeof setting === 'string') return { sql: setting };
  const { sql: select, database, equals, 'at-least': atLeast, 'at-most': atMost } = setting;
  return {
    sql: select,
    ...(database !== undefined && { database }),
    ...(equals !== undefined && { equals }),
    ...(atLeast !== undefined && { atLeast }),
    ...(atMost !== undefined && { atMost }),
  };
}
