import { InvalidArgumentError } from 'commander';

/** For options that take a whole number above 0. */
export function positive(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new InvalidArgumentError('It must be a whole number above 0.');
}
