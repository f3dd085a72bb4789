import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { DrillCheck } from '../../domain/drill.ts';
import { Stopwatch } from '../../domain/stopwatch.ts';
import { isError, RespaldoError, throwIfAborted } from '../../errors.ts';
import type { DrillReport, DrillRequest, SourceIo } from '../source.ts';
import { FILE, FOLDER, readFacts, type Facts } from './facts.ts';
import { parseInfo, type DatabaseKeys } from './info.ts';
import { checkedRdb } from './rdb.ts';
import { runAs, ThrowAwayServer } from './throwaway-server.ts';

/** Restores the RDB to where nobody else looks, lets a server load it, and counts what it has loaded. */
export async function drill(request: DrillRequest, io: SourceIo): Promise<DrillReport> {
  const { snapshot, settings, folder, extract } = request;
  if (settings.assertions.length > 0)
    throw new RespaldoError('config', 'assertions are SQL, which a Redis server does not understand', {
      hint: 'Leave them out of the plans of Redis servers.',
    });
  const facts = await readFacts(snapshot);
  const watch = new Stopwatch(request);
  const data = join(folder, 'redis');
  await watch.measure('fetch', () => extract(FOLDER, data));
  await using server = await watch.measure('start', () => ThrowAwayServer.start(data, request, io));
  const info = parseInfo(await server.info('everything'));
  const loaded = loadOf(await server.info('persistence'));
  const checks = await watch.measure('check', async () => [
    await checkRdb(join(data, FILE)),
    ...(await checkByTool(join(data, FILE), request, io)),
    compare(facts, info?.databases ?? [], loaded),
  ]);
  return { server: `${info?.product ?? 'Redis'} ${info?.version ?? ''}`, times: watch.times, checks };
}

async function checkRdb(file: string): Promise<DrillCheck> {
  let detail = '';
  const onEnd = (end: { readonly bytes: number; readonly checksum: boolean }): void =>
    void (detail = `${String(end.bytes)} bytes, ${end.checksum ? 'and their checksum is right' : 'without a checksum'}`);
  for await (const _piece of checkedRdb(createReadStream(file), file, { onEnd })) continue;
  return { name: 'rdb', passed: true, detail };
}

const LOOKS_OK = 'RDB looks OK';

/** By Redis's own tool, where there is one. */
async function checkByTool(
  file: string,
  request: DrillRequest,
  { runtime, signal }: SourceIo,
): Promise<readonly DrillCheck[]> {
  const name = 'redis-check-rdb';
  const command = { argv: [name, file], cwd: request.folder, ...runAs(request, runtime) } as const;
  try {
    const said = Buffer.concat(await Array.fromAsync(runtime.run(command, signal))).toString('utf8');
    const passed = said.includes(LOOKS_OK);
    return [{ name, passed, detail: passed ? LOOKS_OK : said.trim().split('\n').slice(-3).join('; ') }];
  } catch (error) {
    throwIfAborted(signal);
    if (isError(error, 'tool-missing')) return [];
    if (isError(error, 'command-failed')) return [{ name, passed: false, detail: error.message }];
    throw error;
  }
}

interface Load {
  readonly keys: number | undefined;
  readonly expired: number;
}

/** Keys that have expired since they were saved are not loaded. */
function loadOf(text: string): Load {
  const number = (name: string): number | undefined => {
    const [, digits] = new RegExp(`^${name}:(\\d+)`, 'm').exec(text) ?? [];
    return digits === undefined ? undefined : Number(digits);
  };
  return { keys: number('rdb_last_load_keys_loaded'), expired: number('rdb_last_load_keys_expired') ?? 0 };
}

function compare(facts: Facts, restored: readonly DatabaseKeys[], { keys, expired }: Load): DrillCheck {
  const total = (of: readonly DatabaseKeys[]): number => of.reduce((sum, one) => sum + one.keys, 0);
  const loaded = keys ?? total(restored);
  const gone = expired === 0 ? '' : `, without ${String(expired)} that expired meanwhile`;
  const detail = `${String(loaded)} keys (${shown(restored)})${gone}`;
  if (!facts.keysExact)
    return { name: 'keys', passed: true, detail: `${detail}; their number was not recorded, because somebody wrote` };
  const recorded = new Map(facts.databases.map((one) => [one.number, one.keys]));
  const more = restored.filter((one) => one.keys > (recorded.get(one.number) ?? 0));
  const passed = loaded + expired === total(facts.databases) && more.length === 0;
  return { name: 'keys', passed, detail: passed ? detail : `${detail}, but recorded were ${shown(facts.databases)}` };
}

function shown(databases: readonly DatabaseKeys[]): string {
  return databases.map(({ number, keys }) => `db${String(number)}: ${String(keys)}`).join(', ');
}
