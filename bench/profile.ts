/** Where a command's processor time goes, by V8's own profiler. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import type { Command } from './tools/tool.ts';

/** What one function took itself, without those that it called. */
export interface Share {
  /** Function, file and line. */
  readonly place: string;
  /** Seconds, all threads together. */
  readonly seconds: number;
}

const profileSchema = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() }),
    }),
  ),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});

/** The same command under the profiler, which writes a file for each thread into `folder`. */
export function profiled(command: Command, folder: string): Command {
  const [node = '', ...rest] = command.argv;
  mkdirSync(folder, { recursive: true });
  return { ...command, argv: [node, '--cpu-prof', '--cpu-prof-dir', folder, ...rest] };
}

/** What the files in `folder` tell, the most expensive first. Waiting is left out. */
export function readShares(folder: string): Share[] {
  const seconds = new Map<string, number>();
  for (const file of readdirSync(folder)) {
    const { nodes, samples, timeDeltas } = profileSchema.parse(JSON.parse(readFileSync(join(folder, file), 'utf8')));
    const places = new Map(nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]));
    for (const [n, id] of samples.entries()) {
      const place = places.get(id) ?? '(unknown)';
      seconds.set(place, (seconds.get(place) ?? 0) + (timeDeltas[n] ?? 0) / 1e6);
    }
  }
  seconds.delete('(idle)');
  return Array.from(seconds, ([place, taken]) => ({ place, seconds: taken })).sort((a, b) => b.seconds - a.seconds);
}

function placeOf(frame: { functionName: string; url: string; lineNumber: number }): string {
  const { functionName, url, lineNumber } = frame;
  const name = functionName === '' ? '(anonymous)' : functionName;
  return url === '' ? name : `${name} ${basename(url)}:${lineNumber + 1}`;
}
