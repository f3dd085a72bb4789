import path from 'node:path';
import type { Command } from 'commander';
import { openRuntimeAt, sourceKinds } from '../compose.ts';
import { RespaldoError } from '../errors.ts';
import { recorded } from '../operations/recording.ts';
import { planServerRestore, restoreToServer, type ServerRestorePorts } from '../operations/restore-server.ts';
import type { Repository } from '../repository/repository.ts';
import type { Dump, ServerRestorePlan, ServerRestoreRequest } from '../sources/source.ts';
import type { Invocation } from './invocation.ts';
import { quoted } from './printable.ts';
import { askText, canAsk } from './prompt.ts';
import { addRuntimeOptions, runtimeTarget, type RuntimeOptions } from './runtime-options.ts';
import { filterOf, parseReference, type SelectOptions } from './select.ts';
import { withRecorder } from './session.ts';
import { formatDuration } from './units.ts';
import { tellFinding } from './views/finding.ts';
import { serverPlanLines, serverPlanMessage } from './views/server-restore.ts';
import { snapshotTitle } from './views/snapshot.ts';

/** The options of `restore` that concern servers, as commander hands them over. */
export interface ServerOptions extends RuntimeOptions {
  readonly to?: string;
  readonly file?: string;
  readonly inPlace?: boolean;
  readonly disconnect?: boolean;
  readonly createRoles?: boolean;
  readonly keepOld?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export function addServerOptions(command: Command): Command {
  return addRuntimeOptions(command)
    .option('--to <address>', 'restore a dump into a server: postgresql://user@host/database')
    .option('--file <dump>', 'restore a file of another tool, .sql, .sql.gz or .dump, instead of a snapshot')
    .option('--create-roles', 'make the roles that the dump speaks of and the server lacks')
    .option('--disconnect', 'end the sessions of others in a database that is replaced')
    .option('--in-place', 'drop the old database first: takes less room, and it is gone if the restore fails')
    .option('--keep-old', 'keep the database that is replaced, under another name');
}

/** A database of a snapshot, into a server. */
export async function restoreSnapshotToServer(
  repository: Repository,
  reference: string,
  address: string,
  options: ServerOptions & SelectOptions,
  invocation: Invocation,
): Promise<void> {
  const { snapshot: name, path: folder } = parseReference(reference);
  const snapshot = await repository.find(name, filterOf(options), invocation.signal);
  const readable = repository.readable(snapshot, invocation.signal);
  const dump = { snapshot: readable, ...(folder !== undefined && { folder }) };
  await restore(dump, address, snapshotTitle(snapshot), options, invocation, (plan, work) => {
    const run = { operation: 'restore', subject: plan.server, repository: repository.location } as const;
    const result = { state: 'succeeded', snapshot: snapshot.id } as const;
    return withRecorder(invocation, (recorder) => recorded(run, recorder, work, () => result));
  });
}

/** A file that another tool wrote, into a server. */
export async function restoreFileToServer(
  file: string,
  address: string,
  options: ServerOptions,
  invocation: Invocation,
): Promise<void> {
  const dump = { file: path.resolve(file) };
  await restore(dump, address, `the file ${quoted(file)}`, options, invocation, (_plan, work) => work());
}

async function restore(
  dump: Dump,
  address: string,
  what: string,
  options: ServerOptions,
  invocation: Invocation,
  around: (plan: ServerRestorePlan, work: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const { output, clock, signal } = invocation;
  const request = requestOf(dump, address, options);
  const ports: ServerRestorePorts = {
    runtime: await openRuntimeAt(runtimeTarget(options) ?? { kind: 'host' }, process.env, clock),
    kinds: await sourceKinds(),
    onFinding: (finding) => tellFinding(finding, 'restore', output),
  };
  const plan = await planServerRestore(request, ports, signal);
  output.json(serverPlanMessage(plan));
  for (const line of serverPlanLines(what, plan)) output.note(line);
  if (plan.obstacles.length > 0)
    throw new RespaldoError('target-refused', `cannot restore to ${plan.server}`, { hint: plan.obstacles.join(' ') });
  if (options.dryRun === true) {
    output.note('a dry run: nothing was changed');
    return;
  }
  await requireConsent(plan, options, invocation);
  const startedAt = clock.monotonic();
  await around(plan, async () => {
    await restoreToServer(plan, request, ports, signal);
  });
  const names = plan.databases.map(({ target }) => target);
  output.json({ message_type: 'summary', databases: names });
  const compared = 'file' in dump ? '' : ', compared with what was dumped';
  output.note(
    `restored ${names.map(quoted).join(', ')}${compared}, in ${formatDuration(clock.monotonic() - startedAt)}`,
  );
}

function requestOf(dump: Dump, address: string, options: ServerOptions): ServerRestoreRequest {
  const { inPlace = false, disconnect = false, createRoles = false, keepOld = false } = options;
  if (inPlace && keepOld)
    throw new RespaldoError('usage', '--in-place and --keep-old exclude each other', { hint: 'Give one of them.' });
  return { dump, address, inPlace, disconnect, createRoles, keepOld };
}

/** A database is replaced only after its name was typed, or `--yes`. */
async function requireConsent(plan: ServerRestorePlan, options: ServerOptions, invocation: Invocation): Promise<void> {
  const replaced = plan.databases.filter(({ replaces }) => replaces !== undefined).map(({ target }) => target);
  if (replaced.length === 0 || options.yes === true) return;
  const list = replaced.map(quoted).join(', ');
  if (!canAsk(invocation.output))
    throw new RespaldoError('usage', `this would replace ${list}, and nobody can be asked`, {
      hint: 'Add --yes if that is meant, or name another database in the address of --to.',
    });
  for (const name of replaced) {
    const question = `${quoted(name)} will be replaced, what is in it is lost. Type its name to go on`;
    if ((await askText(question, invocation.signal)) !== name)
      throw new RespaldoError('cancelled', 'not restored: nothing was changed');
  }
}
