import type { Place } from './place.ts';

/** One thing that is wrong with a configuration file. Never holds a value of the file that may be a secret. */
export interface Problem extends Place {
  /** `plans.shop.source`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

/** `respaldo.yaml:14:7 plans.shop.source: unknown key …` */
export function formatProblem(file: string, { line, column, path, message }: Problem): string {
  return `${file}:${line}:${column} ${path === '' ? '' : `${path}: `}${message}`;
}

/** In the order of the file. */
export function compareProblems(a: Problem, b: Problem): number {
  return a.line - b.line || a.column - b.column;
}
