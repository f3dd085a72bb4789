import { z } from 'zod';
import {
  HOOK_TIMEOUT_SECONDS,
  type Hook,
  type HookAction,
  type Hooks,
  type HookStage,
  type HookText,
} from '../domain/hook.ts';
import { FACTS, unknownFacts } from '../domain/run-facts.ts';
import type { SecretReference } from '../domain/secret.ts';
import { RespaldoError } from '../errors.ts';
import { secondsOf, timeSchema } from './seconds.ts';
import { secretSchema, type SecretSetting } from './secret.ts';
import { splitWords } from './words.ts';

const text = z.string().min(1, 'must not be empty');

/** A text with facts in it. */
const template = z.string().superRefine((value, context) => {
  for (const message of factComplaints(value)) context.addIssue({ code: 'custom', message });
});

/** What JSON can hold, its texts being templates. */
const templates = z.unknown().superRefine((value, context) => {
  for (const message of jsonComplaints(value, [])) context.addIssue({ code: 'custom', message });
});

function factComplaints(text: string): readonly string[] {
  return unknownFacts(text).map((name) => `there is no {${name}}: there are {${FACTS.join('}, {')}}`);
}

/** @param above what it lies in, from the outside */
function jsonComplaints(value: unknown, above: readonly unknown[]): readonly string[] {
  if (typeof value === 'string') return factComplaints(value);
  if (typeof value === 'number' && !Number.isFinite(value)) return ['JSON has no such number'];
  if (typeof value !== 'object' || value === null) return [];
  if (above.includes(value)) return ['must not hold itself'];
  if (value instanceof Uint8Array) return ['JSON has no bytes: write a text'];
  return Object.values(value).flatMap((one) => jsonComplaints(one, [...above, value]));
}

const argv = z.union([
  z.string().superRefine((value, context) => {
    const message = splitComplaint(value);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  }),
  z.array(z.string()).refine(([program]) => program !== undefined && program !== '', 'must begin with the program'),
]);

const url = template.refine(
  (value) => /^https?:\/\/[^/\s]/.test(value),
  'must be an address such as https://host/path',
);

const textOrSecret = z.union([z.string(), secretSchema]);

const request = z
  .strictObject({
    url: z
      .union([url, secretSchema])
      .meta({ title: 'Address', description: 'http: or https:; facts such as {status} may stand in it.' }),
    method: z
      .enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'])
      .optional()
      .meta({ title: 'Method', description: 'Default: POST with a body, GET without one.' }),
    headers: z.record(text, textOrSecret).default({}).meta({ title: 'Headers' }),
    body: template.optional().meta({ title: 'Body', description: 'A text; facts such as {plan} may stand in it.' }),
    json: templates.optional().meta({ title: 'JSON', description: 'What is sent as JSON, with facts in its texts.' }),
  })
  .refine(({ body, json }) => body === undefined || json === undefined, {
    error: 'a request has body or json, not both: leave one of them out',
    path: ['json'],
  })
  .refine(({ body, json, method }) => (body ?? json) === undefined || (method !== 'GET' && method !== 'HEAD'), {
    error: 'a request with a body is none by GET or HEAD: write POST, or leave the method out',
    path: ['method'],
  });

const hook = z
  .strictObject({
    command: argv.optional().meta({
      title: 'Command',
      description: 'Program and arguments, run on this host without a shell, in the folder of this configuration.',
      examples: [['systemctl', 'stop', 'shop']],
    }),
    shell: text.optional().meta({ title: 'Shell', description: 'What /bin/sh on this host is to do.' }),
    inside: argv.optional().meta({
      title: 'Inside',
      description: 'Program and arguments, run in the container or pod of the plan.',
    }),
    http: z
      .union([url, request])
      .optional()
      .meta({ title: 'Request', description: 'A request over HTTP that has to be answered by 2xx.' }),
    env: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable'), textOrSecret)
      .optional()
      .meta({ title: 'Environment', description: 'Variables for it, beside RESPALDO_PLAN and the others.' }),
    timeout: timeSchema
      .optional()
      .meta({ title: 'Timeout', description: 'How long it may take: 90s, 5m, 1h. Default: 5m.' }),
  })
  .refine((it) => [it.command, it.shell, it.inside, it.http].filter((one) => one !== undefined).length === 1, {
    error: 'say what is done by exactly one of command, shell, inside and http',
  })
  .refine(({ http, env }) => http === undefined || env === undefined, {
    error: 'a request has no environment: leave it out',
    path: ['env'],
  })
  .meta({ title: 'Hook' });

const stage = (description: string) =>
  z
    .union([hook, z.array(hook)])
    .default([])
    .meta({ description });

/** What a plan has under `hooks`. */
export const hooksSchema = z
  .strictObject({
    before: stage('Before anything is read. One that fails ends the run: nothing is captured.'),
    after: stage('After a backup that succeeded.'),
    'on-failure': stage('After a run that failed or is incomplete.'),
    finally: stage('At the end, whatever happened, Ctrl-C too.'),
  })
  .meta({ title: 'Hooks', description: 'What is done around the backups of this plan.' });

type HookSetting = z.output<typeof hook>;

/** @param toReference what a secret as it is written refers to */
export function toHooks(
  setting: z.output<typeof hooksSchema>,
  toReference: (secret: SecretSetting) => SecretReference,
): Hooks {
  const of = (name: HookStage): readonly Hook[] => [setting[name]].flat().map((one) => toHook(one, toReference));
  return { before: of('before'), after: of('after'), 'on-failure': of('on-failure'), finally: of('finally') };
}

function toHook(setting: HookSetting, toReference: (secret: SecretSetting) => SecretReference): Hook {
  const { timeout } = setting;
  return {
    action: toAction(setting, (value) => (typeof value === 'string' ? value : toReference(value))),
    timeoutSeconds: timeout === undefined ? HOOK_TIMEOUT_SECONDS : secondsOf(timeout),
  };
}

function toAction(setting: HookSetting, toText: (value: string | SecretSetting) => HookText): HookAction {
  const { command, shell, inside, http } = setting;
  if (http !== undefined) {
    const {
      url: address,
      method,
      headers,
      body,
      json,
    } = typeof http === 'string' ? { ...NO_REQUEST, url: http } : http;
    const content = json === undefined ? body : { json };
    return {
      kind: 'http',
      method: method ?? (content === undefined ? 'GET' : 'POST'),
      url: toText(address),
      headers: textsOf(headers, toText),
      ...(content !== undefined && { body: content }),
    };
  }
  return {
    kind: inside === undefined ? 'command' : 'inside',
    argv: shell === undefined ? wordsOf(inside ?? command ?? '') : ['/bin/sh', '-c', shell],
    env: textsOf(setting.env ?? {}, toText),
    isShell: shell !== undefined,
  };
}

const NO_REQUEST: Omit<z.output<typeof request>, 'url'> = { headers: {} };

function textsOf(
  settings: Readonly<Record<string, string | SecretSetting>>,
  toText: (value: string | SecretSetting) => HookText,
): Readonly<Record<string, HookText>> {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, toText(value)]));
}

function wordsOf(setting: string | readonly string[]): readonly [string, ...string[]] {
  if (typeof setting === 'string') return splitWords(setting, 'command');
  const [program = '', ...args] = setting;
  return [program, ...args];
}

function splitComplaint(line: string): string | undefined {
  try {
    splitWords(line, 'command');
    return undefined;
  } catch (error) {
    if (error instanceof RespaldoError) return error.message;
    throw error;
  }
}
