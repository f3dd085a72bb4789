import type { Clock } from '../../clock.ts';
import type { Hook, HookAction, HookStage, HookText } from '../../domain/hook.ts';
import { environmentOf, factsOf, type RunFacts, type RunSoFar } from '../../domain/run-facts.ts';
import type { SecretReference } from '../../domain/secret.ts';
import { RespaldoError, throwIfAborted, toRespaldoError } from '../../errors.ts';
import type { Runtime } from '../../runtimes/runtime.ts';
import { Ending } from './captured.ts';
import { send, type HookRequest } from './request.ts';

export interface PerformPorts {
  readonly host: Runtime;
  /** The plan's own: this host, a container, a pod. */
  readonly inside: Runtime;
  /** Where programs of this host run: an absolute path. */
  readonly folder: string;
  readonly readSecret: (reference: SecretReference, signal: AbortSignal) => Promise<string>;
  readonly clock: Clock;
  /** Told what is about to run. */
  readonly onBegin: (stage: HookStage, what: string) => void;
  /** Told what it printed, the last of it. */
  readonly onOutput: (text: string) => void;
}

/** Timers go no further: 24 days. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Runs one hook to its end, which its time limit brings about as well: a program is ended with all that it has started.
 * @throws RespaldoError `hook-failed` with what it printed and without the secrets that it was given; `cancelled`
 */
export async function perform(
  hook: Hook,
  stage: HookStage,
  run: RunSoFar,
  ports: PerformPorts,
  signal: AbortSignal,
): Promise<void> {
  throwIfAborted(signal);
  const limit = AbortSignal.timeout(Math.min(hook.timeoutSeconds * 1000, LONGEST_MS));
  const both = AbortSignal.any([signal, limit]);
  const secrets: string[] = [];
  const read = async (text: HookText): Promise<string> => {
    if (typeof text === 'string') return text;
    const secret = await ports.readSecret(text, both);
    secrets.push(secret);
    if (secret.includes('\0')) throw new RespaldoError('config', 'a secret that it wants holds a NUL byte');
    return secret;
  };
  const facts = factsOf(run, stage, ports.clock.now());
  ports.onBegin(stage, describeHook(hook.action));
  const output = new Ending();
  try {
    await act(hook.action, facts, read, output, ports, both);
    const said = masked(output.toString(), secrets);
    if (said !== '') ports.onOutput(said);
  } catch (error) {
    if (signal.aborted) throwIfAborted(signal);
    const why = limit.aborted ? `it did not end within ${shownSeconds(hook.timeoutSeconds)}` : reasonOf(error);
    const printed = output.toString();
    const said = printed === '' ? '' : `\nit printed:\n${printed}`;
    throw new RespaldoError('hook-failed', masked(`${nameOf(stage, run, hook.action)}: ${why}${said}`, secrets), {
      hint: hintOf(stage, limit.aborted, error),
    });
  }
}

async function act(
  action: HookAction,
  facts: RunFacts,
  read: (text: HookText) => Promise<string>,
  output: Ending,
  ports: PerformPorts,
  signal: AbortSignal,
): Promise<void> {
  if (action.kind === 'http') {
    output.add(Buffer.from(await send(await requestOf(action, facts, read), signal)));
    return;
  }
  const runtime = action.kind === 'inside' ? ports.inside : ports.host;
  const env: Record<string, string> = { ...environmentOf(facts) };
  for (const [name, value] of Object.entries(action.env)) env[name] = await read(value);
  const command = { argv: action.argv, env, ...(runtime.kind === 'host' && { cwd: ports.folder }) };
  for await (const piece of runtime.run(command, signal)) output.add(piece);
}

async function requestOf(
  { method, url, headers, body }: Extract<HookAction, { kind: 'http' }>,
  facts: RunFacts,
  read: (text: HookText) => Promise<string>,
): Promise<HookRequest> {
  const lines: [string, string][] = [];
  for (const [name, value] of Object.entries(headers)) lines.push([name, await read(value)]);
  return { method, url: await read(url), headers: lines, facts, ...(body !== undefined && { body }) };
}

/** What may be told of a hook: arguments and addresses may hold what is secret. */
function describeHook(action: HookAction): string {
  if (action.kind === 'http')
    return `${action.method} ${typeof action.url === 'string' ? originOf(action.url) : 'to an address that is kept secret'}`;
  const what = action.isShell ? 'shell command' : action.argv[0];
  return action.kind === 'inside' ? `${what}, inside` : what;
}

function originOf(url: string): string {
  return URL.parse(url)?.origin ?? 'an address that is none';
}

function nameOf(stage: HookStage, { plan }: RunSoFar, action: HookAction): string {
  return `the hook ${stage} of the plan ${plan} (${describeHook(action)}) failed`;
}

function hintOf(stage: HookStage, isLate: boolean, error: unknown): string {
  const what =
    stage === 'before'
      ? 'Nothing was captured: hooks before a backup have to succeed.'
      : 'What was stored is as good as without the hook.';
  if (isLate) return `${what} Give it more time by timeout: in respaldo.yaml, or look what it waits for.`;
  const { hint, code } = toRespaldoError(error);
  return code === 'internal' || hint === undefined ? what : `${what} ${hint}`;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function shownSeconds(seconds: number): string {
  return seconds === 1 ? '1 second' : `${String(seconds)} seconds`;
}

/** Some programs, and servers, repeat a password that they did not like. */
function masked(text: string, secrets: readonly string[]): string {
  return secrets.reduce((clean, secret) => clean.replaceAll(secret, '***'), text);
}
