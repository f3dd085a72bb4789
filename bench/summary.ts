/** From raw figures to medians and ratios. */
import type { RowResult, RowSamples, StoredSample } from './results.ts';
import type { ToolName } from './tools/tool.ts';

/** @param blobs of the repository that the row works on */
export function summarize(
  { samples, baseline }: RowSamples,
  blobs: number | undefined,
): Pick<RowResult, 'samples' | 'medians' | 'ratios' | 'indexBytes'> {
  const medians = mapValues(samples, medianSample);
  const { respaldo: ours, restic: theirs } = medians;
  const result = { samples, medians, ratios: ours && theirs ? ratios(ours, theirs) : {} };
  if (baseline === undefined || blobs === undefined) return result;
  const empty = mapValues(baseline, medianSample);
  return {
    ...result,
    indexBytes: mapValues(medians, ({ memory }, tool) => round((memory - (empty[tool]?.memory ?? 0)) / blobs, 1)),
  };
}

/** The middle value; of an even number of them the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return low === undefined || high === undefined ? NaN : (low + high) / 2;
}

function medianSample(samples: readonly StoredSample[]): StoredSample {
  const of = (pick: (sample: StoredSample) => number): number => median(samples.map(pick));
  const sample = { wall: of((s) => s.wall), cpu: of((s) => s.cpu), memory: of((s) => s.memory) };
  return samples.some(({ stored }) => stored === undefined) ? sample : { ...sample, stored: of((s) => s.stored ?? 0) };
}

function ratios(ours: StoredSample, theirs: StoredSample): RowResult['ratios'] {
  return {
    wall: round(theirs.wall / ours.wall, 3),
    cpu: round(ours.cpu / theirs.cpu, 3),
    memory: round(ours.memory / theirs.memory, 3),
    ...(ours.stored && theirs.stored ? { stored: round(ours.stored / theirs.stored, 4) } : {}),
  };
}

function round(value: number, decimals: number): number {
  return Number(value.toFixed(decimals));
}

type PerTool<T> = Partial<Record<ToolName, T>>;

function mapValues<T, R>(of: PerTool<T>, convert: (value: T, tool: ToolName) => R): PerTool<R> {
  const entries = Object.entries(of) as [ToolName, T][];
  return Object.fromEntries(entries.map(([tool, value]) => [tool, convert(value, tool)]));
}
