/**
 * How far each stage of a first backup is from what the machine can do: `node bench/stages.ts`, with `--scale`,
 * `--folder`, `--program`, `--keep` and `--write-docs` as in the bench.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { MIXED_TREE } from './datasets.ts';
import { replaceBlock } from './document.ts';
import { Ground } from './ground.ts';
import { type Limit, measureLimits, type StageName } from './limits.ts';
import { type Options, parseOptions } from './options.ts';
import { profiled, readShares, type Share } from './profile.ts';
import { installProgram } from './program.ts';
import { align } from './table.ts';
import { openRespaldo } from './tools/respaldo.ts';
import type { Tool } from './tools/tool.ts';
import { warm } from './warm.ts';

/** What stages are called, and by which functions a profile knows them. */
const STAGES: readonly (readonly [title: string, stages: readonly StageName[], places: RegExp])[] = [
  ['list folders, lstat', ['list'], /^(lstat|readdir|llistxattr|bigint)/i],
  ['open, read, close', ['read'], /^(read|open|close|fstat)(Sync)?\b/],
  ['cut (WebAssembly)', ['cut'], /^wasm-function/],
  ['SHA-256 of blobs and packs', ['hash'], /^hash /],
  ['zstd, level 2', ['compress'], /^compress /],
  ['AES-256 and Poly1305', ['seal'], /^(crypt|authenticate|EVP_\w+)\b/],
  ['write', ['write'], /^(write|fsync|rename)/],
];

/** What our own run took. CPU in seconds. */
interface Ours {
  readonly cpu: number;
  /** Of a backup of nothing: start, key derivation, locks. */
  readonly fixed: number;
  readonly shares: readonly Share[];
}

async function main(options: Options, signal: AbortSignal): Promise<void> {
  const ground = await Ground.prepare(options.folder, signal);
  try {
    const respaldo = await openRespaldo(options.program ?? (await installProgram(join(ground.folder, 'program'))));
    await ground.makeEmpty(respaldo);
    const tree = join(ground.folder, MIXED_TREE.name);
    await MIXED_TREE.make(tree, options.scale, ground, respaldo);
    warm(tree);
    const limits = measureLimits(tree, join(ground.folder, 'written'));
    const text = render(limits, await measureOurs(respaldo, tree, ground));
    console.log(text);
    if (options.writeDocs) replaceBlock('stages', text);
  } finally {
    if (!options.keep) await ground.remove();
  }
}

async function measureOurs(respaldo: Tool, tree: string, ground: Ground): Promise<Ours> {
  const backup = async (source: string, name: string) => {
    const place = await ground.newPlace(respaldo, join(ground.folder, name));
    return respaldo.command({ kind: 'backup', name: 'first', source }, place);
  };
  const nothing = join(ground.folder, 'nothing');
  mkdirSync(nothing);
  const fixed = await ground.measure(await backup(nothing, 'of-nothing'));
  const whole = await ground.measure(await backup(tree, 'of-tree'));
  const profile = join(ground.folder, 'profile');
  await ground.run(profiled(await backup(tree, 'profiled'), profile));
  return { cpu: whole.cpu, fixed: fixed.cpu, shares: readShares(profile) };
}

function render(limits: Readonly<Record<StageName, Limit>>, { cpu, fixed, shares }: Ours): string {
  const sampled = shares.reduce((sum, { seconds }) => sum + seconds, 0);
  const work = cpu - fixed;
  // A profile counts time that passed, which other programs stretch: only its proportions are taken.
  const ours = (places: RegExp): number => (cpu * sum(shares.filter(({ place }) => places.test(place)))) / sampled;
  const rows = STAGES.map(([title, stages, places]) => {
    const seconds = sum(stages.map((stage) => limits[stage]));
    return [title, rate(limits, stages), seconds.toFixed(2), ours(places).toFixed(2)];
  });
  const limit = sum(Object.values(limits));
  return [
    align([
      ['stage', 'one core can', 'CPU s at least', 'CPU s ours'],
      ...rows,
      ['everything else', '', '', (cpu - sum(STAGES.map(([, , places]) => ({ seconds: ours(places) })))).toFixed(2)],
      ['together', '', limit.toFixed(2), cpu.toFixed(2)],
    ]),
    '',
    `Of ours, ${fixed.toFixed(2)} s are what a backup of nothing takes: starting, and deriving the key from the password.`,
    `The stages alone would take ${((100 * limit) / work).toFixed(0)} % of the rest.`,
  ].join('\n');
}

function rate(limits: Readonly<Record<StageName, Limit>>, stages: readonly StageName[]): string {
  return stages
    .map((stage) => {
      const { amount, seconds } = limits[stage];
      const each = amount / seconds;
      return stage === 'list' ? `${(each / 1000).toFixed(0)} k entries/s` : `${(each / 1e6).toFixed(0)} MB/s`;
    })
    .join(', ');
}

function sum(of: readonly { readonly seconds: number }[]): number {
  return of.reduce((total, { seconds }) => total + seconds, 0);
}

const abort = new AbortController();
process.once('SIGINT', () => abort.abort(new Error('ended by SIGINT')));
try {
  const options = parseOptions(process.argv.slice(2));
  if (options !== undefined) await main(options, abort.signal);
} catch (error) {
  console.error(`stages: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
