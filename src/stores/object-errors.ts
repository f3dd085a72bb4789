/** What is wrong with an object, in the words that are the same wherever it lies. */
import { RespaldoError } from '../errors.ts';

/** @param name of the object, as its store's users know it: with the place where it should be. */
export function noSuchObject(name: string, cause?: unknown): RespaldoError {
  return new RespaldoError('store-missing', `there is no ${name}`, { ...(cause !== undefined && { cause }) });
}

/** @param range what was asked for. All in bytes. */
export function tooShort(
  name: string,
  size: number,
  { offset, length }: { readonly offset: number; readonly length: number },
): RespaldoError {
  return new RespaldoError(
    'store-broken',
    `${name} is too short: it has ${size} bytes, ${length} were asked for from ${offset}`,
    { hint: '`respaldo check` tells what else is damaged.' },
  );
}
