/** Several ways to do the same, measured in turn. */
import { join } from 'node:path';
import type { Ground } from './ground.ts';
import type { Sample } from './measure.ts';
import { median } from './summary.ts';
import { align } from './table.ts';
import type { Command, Place, Tool } from './tools/tool.ts';

/** What is measured. `folder` is empty, `place` a new repository. */
export interface Contender {
  readonly name: string;
  readonly command: (folder: string, place: Place) => Command;
}

export async function measureAll(
  all: readonly Contender[],
  respaldo: Tool,
  ground: Ground,
  runs: number,
): Promise<Map<string, Sample[]>> {
  const samples = new Map<string, Sample[]>(all.map(({ name }) => [name, []]));
  for (let run = 0; run < runs; run++) {
    for (const { name, command } of all) {
      const folder = join(ground.folder, 'run');
      const place = await ground.newPlace(respaldo, folder);
      const sample = await ground.measure(command(folder, place));
      samples.get(name)?.push(sample);
      console.error(`${name.padEnd(40)}${run + 1}: ${sample.wall.toFixed(2)} s, CPU ${sample.cpu.toFixed(2)} s`);
      await ground.drop('run');
    }
  }
  return samples;
}

/** A table; the first contender is ours. */
export function render(samples: ReadonlyMap<string, readonly Sample[]>, caption: string): string {
  const medians = Array.from(samples, ([name, of]) => ({
    name,
    wall: median(of.map(({ wall }) => wall)),
    cpu: median(of.map(({ cpu }) => cpu)),
  }));
  const ours = medians[0];
  const rows = medians.map(({ name, wall, cpu }) => [
    `\`${name.replace('|', '\\|')}\``,
    wall.toFixed(2),
    (wall / (ours?.wall ?? NaN)).toFixed(2),
    cpu.toFixed(2),
  ]);
  return [align([['backup', 'wall s', '÷ ours', 'CPU s'], ...rows]), '', caption].join('\n');
}
