/** Measures one row: every tool in turn, again and again. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ground } from './ground.ts';
import type { Sample } from './measure.ts';
import type { RowSamples, StoredSample } from './results.ts';
import type { Row } from './rows.ts';
import type { Command, Tool } from './tools/tool.ts';
import { measureTree } from './tree-size.ts';
import type { NextTrial, Trial, Work } from './works/work.ts';

export interface RowRun {
  readonly ground: Ground;
  readonly tools: readonly Tool[];
  /** Path of the row's data. */
  readonly data: string;
  readonly scale: number;
  readonly runs: number;
  /** Told of each run. */
  readonly onSample?: (tool: Tool, run: number, sample: Sample) => void;
  /** Given a command of ours to run once more after the others, so that it can be looked at closely. */
  readonly inspect?: (command: Command) => Promise<void>;
}

/** @throws Error if a tool fails: figures of the others alone say nothing */
export async function runRow(row: Row, run: RowRun): Promise<RowSamples> {
  const folder = join(run.ground.folder, row.name);
  await mkdir(folder);
  try {
    const tools = run.tools.filter((tool) => tool.sharesFormat || row.data.kind !== 'repository');
    const contestants = await prepare(row.work, 'runs', folder, { ...run, tools });
    row.change?.(run.data, run.scale);
    const samples = await compete(contestants, run);
    const baseline =
      row.baseline && (await compete(await prepare(row.baseline, 'baseline', folder, { ...run, tools }), run));
    return { samples, ...(baseline && { baseline }) };
  } finally {
    await run.ground.drop(row.name);
  }
}

interface Contestant {
  readonly tool: Tool;
  readonly next: NextTrial;
}

async function prepare(work: Work, name: string, parent: string, run: RowRun): Promise<Contestant[]> {
  const contestants: Contestant[] = [];
  for (const tool of run.tools) {
    const folder = join(parent, name, tool.name);
    await mkdir(folder, { recursive: true });
    contestants.push({ tool, next: await work({ ground: run.ground, tool, data: run.data, folder }) });
  }
  return contestants;
}

/** The tools take turns, so that whatever else the machine does hits all of them; another one begins each round. */
async function compete(contestants: readonly Contestant[], run: RowRun): Promise<RowSamples['samples']> {
  const samples: { -readonly [K in keyof RowSamples['samples']]: StoredSample[] } = {};
  for (let round = 0; round < run.runs; round++) {
    const first = round % contestants.length;
    for (const { tool, next } of [...contestants.slice(first), ...contestants.slice(0, first)]) {
      const sample = await measureTrial(await next(round), run.ground);
      (samples[tool.name] ??= []).push(sample);
      run.onSample?.(tool, round, sample);
    }
  }
  const ours = contestants.find(({ tool }) => tool.name === 'respaldo');
  if (ours && run.inspect) await run.inspect((await ours.next(run.runs)).command);
  return samples;
}

async function measureTrial(trial: Trial, ground: Ground): Promise<StoredSample> {
  const sample = await ground.measure(trial.command, trial.reads);
  await trial.verify?.();
  return trial.repository === undefined ? sample : { ...sample, stored: measureTree(trial.repository).bytes };
}
