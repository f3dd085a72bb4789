import { z } from 'zod';

const text = z.string().min(1, 'must not be empty');

/** Where a secret comes from, as a configuration writes it. */
export const secretSchema = z
  .strictObject(
    {
      env: z
        .string()
        .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable')
        .optional()
        .meta({ title: 'Environment variable', description: 'Name of the environment variable that holds it.' }),
      file: text.optional().meta({
        title: 'File',
        description: 'A file that holds it and nothing else; relative to the folder of this configuration.',
      }),
      command: z
        .union([text, z.array(z.string()).min(1, 'must hold at least the program')])
        .optional()
        .meta({
          title: 'Command',
          description: 'Program and arguments that print it. Run without a shell, in the folder of this configuration.',
          examples: [['pass', 'show', 'respaldo']],
        }),
    },
    {
      error: (issue) =>
        issue.code === 'invalid_type' && issue.input !== undefined
          ? 'a secret is never written here: use { env: NAME }, { file: path } or { command: [program, argument] }'
          : undefined,
    },
  )
  .refine((value) => Object.values(value).filter((it) => it !== undefined).length === 1, {
    error: 'say where it comes from by exactly one of env, file and command',
  })
  .meta({
    title: 'Secret',
    description: 'Where a secret comes from. The secret itself is never written here.',
    minProperties: 1,
    maxProperties: 1,
  });

export type SecretSetting = z.output<typeof secretSchema>;
