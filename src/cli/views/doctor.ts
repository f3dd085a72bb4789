import { stripVTControlCharacters } from 'node:util';
import type { Observation } from '../../domain/observation.ts';
import type { StoreDiagnosis } from '../../operations/doctor-store.ts';
import type { Output } from '../output.ts';
import { harmless } from '../printable.ts';

/** Wide enough for the longest trait, so that lines can be told while they come. */
const TRAIT = 20;
const COLORS = { good: 'green', note: 'yellow', bad: 'red' } as const;

/** A row of the table, and under it what to do. */
export function observationLines(
  { trait, verdict, found, advice }: Observation,
  output: Pick<Output, 'style'>,
): string[] {
  const word = output.style(COLORS[verdict], verdict);
  const padding = ' '.repeat(Math.max(0, 'good'.length - stripVTControlCharacters(word).length));
  const row = `${trait.padEnd(TRAIT)}${word}${padding}  ${harmless(found)}`;
  return advice === undefined ? [row] : [row, `${' '.repeat(TRAIT + 6)}-> ${harmless(advice)}`];
}

/** All of it in one message. */
export function diagnosisMessage({ location, fit, observations }: StoreDiagnosis): unknown {
  return { message_type: 'store', location, fit, observations };
}
