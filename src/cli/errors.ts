import { errnoOf, RespaldoError, toRespaldoError } from '../errors.ts';
import type { Output } from './output.ts';
import { harmless } from './printable.ts';

/**
 * Tells a person or, under `--json`, a program why the command failed.
 * @returns the exit code.
 */
export function report(thrown: unknown, output: Output, signal: AbortSignal): number {
  const error = asOne(thrown, signal);
  if (output.mode.json) {
    output.jsonError({ message_type: 'exit_error', code: error.exit, message: sentence(error) });
  } else {
    output.error(`${output.styleError('red', 'respaldo:')} ${harmless(error.message)}`);
    if (error.hint !== undefined) output.error(harmless(error.hint));
    for (const line of background(error, output.mode.verbosity)) output.error(`  ${harmless(line)}`);
  }
  return error.exit;
}

function sentence(error: RespaldoError): string {
  return error.hint === undefined ? error.message : `${error.message}\n${error.hint}`;
}

/** After an abort whatever is thrown is its consequence. */
function asOne(thrown: unknown, signal: AbortSignal): RespaldoError {
  const error = toRespaldoError(thrown);
  if (!signal.aborted || error.code === 'cancelled') return error;
  const reason = toRespaldoError(signal.reason);
  return new RespaldoError('cancelled', reason.message, { cause: error });
}

/** Under `--verbose` what led to it; under `-vv`, and for bugs, where in the program. */
function background(error: RespaldoError, verbosity: number): string[] {
  if (verbosity === 0) return [];
  const causes: string[] = [];
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) {
    const code = errnoOf(cause);
    causes.push(`caused by: ${cause.message}${code === undefined ? '' : ` (${code})`}`);
  }
  const deepest = error.cause instanceof Error ? error.cause : error;
  return verbosity > 1 || error.code === 'internal' ? [...causes, deepest.stack ?? ''] : causes;
}
