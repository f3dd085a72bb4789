/** Changes of a repository's format. */
import { RespaldoError } from '../errors.ts';
import { checkAll } from './checker/check.ts';
import { afresh, type RepositoryContext } from './context.ts';
import { encodeConfig, openConfig } from './format/config.ts';
import type { MigrateOptions, Migration } from './repository.ts';
import { withLock } from './storage/locks.ts';
import { CONFIG_KEY } from './storage/objects.ts';

/** How long an attempt to undo may take. */
const RESTORE_MS = 60_000;

const UPGRADE: Migration = {
  name: 'upgrade_repo_v2',
  summary: 'version 2 of the format, which compresses what is stored from then on',
};

/** Those that have not been made. */
export function migrations({ config }: RepositoryContext): readonly Migration[] {
  return config.version === 1 ? [UPGRADE] : [];
}

/** See {@link Repository.migrate}. */
export async function migrate(
  context: RepositoryContext,
  name: string,
  options: MigrateOptions,
  signal: AbortSignal,
): Promise<void> {
  requireMigration(context, name);
  const { objects, clock } = context;
  await withLock(objects, { exclusive: true, clock, signal }, async (signal, guard) => {
    await requireSound(context, signal);
    const before = await context.store.read(CONFIG_KEY, undefined, signal);
    await options.keepCopy(before);
    await guard.confirm();
    await upgrade(context, before, signal);
  });
}

function requireMigration(context: RepositoryContext, name: string): void {
  if (migrations(context).some((migration) => migration.name === name)) return;
  if (name === UPGRADE.name)
    throw new RespaldoError('usage', `the repository has version ${context.config.version} already`);
  throw new RespaldoError('usage', `there is no migration ${name}`, {
    hint: '`respaldo migrate` lists those that apply.',
  });
}

async function requireSound(context: RepositoryContext, signal: AbortSignal): Promise<void> {
  for await (const { severity, message } of checkAll(afresh(context), { readData: false }, signal))
    if (severity === 'damage')
      throw new RespaldoError('repository-damaged', `not migrated: ${message}`, {
        hint: 'Nothing was changed. `respaldo check` shows what is damaged, and how to repair it.',
      });
}

/** A store replaces the config whole or not at all; what it holds afterwards is read once more. */
async function upgrade(
  { store, sealer, config }: RepositoryContext,
  before: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  try {
    await store.write(CONFIG_KEY, sealer.seal(encodeConfig({ ...config, version: 2 })), signal);
    const after = openConfig(await store.read(CONFIG_KEY, undefined, signal), sealer);
    if (after.version !== 2 || after.id !== config.id)
      throw new RespaldoError('store-broken', 'the config that was written is not the one that can be read');
  } catch (error) {
    // A store that fails still may have the old one written back later: its owner has a copy.
    await store.write(CONFIG_KEY, before, AbortSignal.timeout(RESTORE_MS)).catch(() => undefined);
    throw error;
  }
}
