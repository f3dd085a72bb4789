import {
  likelyMeant,
  PRODUCTS,
  WHOLE_SERVER,
  type DetectedServer,
  type Detection,
  type DetectionScope,
} from '../domain/detection.ts';
import type { RuntimeTarget } from '../domain/runtime-target.ts';
import { RespaldoError, throwIfAborted } from '../errors.ts';
import type { Invocation } from './invocation.ts';
import { lookAround } from './look-around.ts';
import { harmless, quoted } from './printable.ts';
import { canAsk, choose } from './prompt.ts';
import { isTarget, runtimeScope, runtimeTarget, type RuntimeOptions } from './runtime-options.ts';
import { backupCommand, unseenLine } from './views/detection.ts';

/** What is backed up where nobody names it: the server of the container or pod that is named, or the one that is found. */
export type DetectedSubject = Pick<DetectedServer, 'address'> & { readonly target?: RuntimeTarget };

/**
 * The server that a command line without plan and address means. Several are a question for a person.
 * @returns undefined where none is found; what was found and cannot be used is told.
 * @throws RespaldoError `usage` where there are several and nobody can be asked; `source-missing` where there is none in
 * the only place that was to be looked at; `cancelled`, and what detection throws.
 */
export async function detectedServer(
  options: RuntimeOptions,
  invocation: Invocation,
): Promise<DetectedSubject | undefined> {
  const { output } = invocation;
  const scope = runtimeScope(options);
  const target = isTarget(scope) ? runtimeTarget(options) : undefined;
  if (target !== undefined) return { address: await addressIn(scope, invocation), target };
  const found = await lookAround(scope, invocation);
  const [first, ...others] = likelyMeant(found.servers);
  if (first === undefined) {
    tellNone(found, invocation);
    if (scope.kind === undefined) return undefined;
    throw new RespaldoError('source-missing', `nothing was found that could be backed up (--runtime ${scope.kind})`, {
      hint: 'See `respaldo detect`, or name an address.',
    });
  }
  const server = others.length === 0 ? first : await oneOf([first, ...others], invocation);
  output.note(
    `found ${PRODUCTS[server.kind]} ${server.target.kind === 'host' ? 'on' : 'in'} ${quoted(server.place)}: ${server.reasons.map(quoted).join(', ')}`,
  );
  return server;
}

/** As what it is known to be, and what of it its labels name; of whatever else is there, PostgreSQL's programs will tell. */
async function addressIn(scope: DetectionScope, invocation: Invocation): Promise<string> {
  try {
    const { servers } = await lookAround(scope, invocation);
    const [first, ...others] = likelyMeant(servers);
    return others.length === 0 && first !== undefined ? first.address : WHOLE_SERVER;
  } catch (error) {
    throwIfAborted(invocation.signal);
    if (error instanceof RespaldoError) return WHOLE_SERVER;
    throw error;
  }
}

async function oneOf(servers: readonly DetectedServer[], { output, signal }: Invocation): Promise<DetectedServer> {
  if (canAsk(output)) {
    const choices = servers.map((server) => ({
      value: server,
      label: harmless(`${server.name} (${server.place}): ${server.reasons.join(', ')}`),
    }));
    return choose('Which one shall be backed up?', choices, signal);
  }
  const list = servers.map(({ name, place }) => `${quoted(name)} (${quoted(place)})`).join(', ');
  throw new RespaldoError('usage', `several databases were found, and nobody can be asked which is meant: ${list}`, {
    hint: `Name one, or write all of them down by \`respaldo config init\`:\n${servers.map(backupCommand).join('\n')}`,
  });
}

/** What could be the reason why nothing was found. */
function tellNone({ servers, unseen }: Detection, { output }: Invocation): void {
  for (const { kind, place, obstacle } of servers)
    output.warn(`${place} seems to be ${PRODUCTS[kind]}, but it does not run: ${obstacle ?? ''}`);
  for (const place of unseen) output.detail(unseenLine(place));
}
