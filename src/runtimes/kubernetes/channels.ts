/** The messages of a program that runs in a pod: each starts with the number of its channel. */
import { z } from 'zod';

import { RespaldoError } from '../../errors.ts';
import { shellMissing } from '../container/refusal.ts';
import type { Exit } from '../program.ts';

const STDIN = 0;
export const STDOUT = 1;
export const STDERR = 2;
/** How the program ended: the only proof that it succeeded. */
export const STATUS = 3;
/** Version 5 alone: the channel in the next byte will get no more. */
const CLOSE = 255;

/** Standard input is over, in version 5 of the protocol. */
export const STDIN_CLOSED = Uint8Array.of(CLOSE, STDIN);

/** A copy: the piece may be overwritten while it waits to be sent. */
export function onStdin(piece: Uint8Array): Uint8Array {
  const message = new Uint8Array(piece.length + 1);
  message[0] = STDIN;
  message.set(piece, 1);
  return message;
}

const status = z.object({
  status: z.string(),
  message: z.string().optional(),
  reason: z.string().optional(),
  details: z
    .object({ causes: z.array(z.object({ reason: z.string().optional(), message: z.string().optional() })).nullish() })
    .nullish(),
});

/** What the message of {@link STATUS} says. Whatever is not understood is no success. */
export function exitOf(said: string, place: string): Exit {
  const parsed = status.safeParse(parseJson(said));
  if (!parsed.success) return failure(`${place} says how the program ended in a way that makes no sense`);
  const { status: result, reason, message = '', details } = parsed.data;
  if (result === 'Success') return { code: 0 };
  const cause = details?.causes?.find((it) => it.reason === 'ExitCode')?.message;
  if (reason === 'NonZeroExitCode' && cause !== undefined && /^[1-9]\d*$/.test(cause)) return { code: Number(cause) };
  if (/executable file not found|no such file or directory/i.test(message)) {
    return { error: shellMissing(place) };
  }
  return failure(`${place} could not run the program: ${message}`);
}

function failure(message: string): Exit {
  return { error: new RespaldoError('command-failed', message) };
}

function parseJson(said: string): unknown {
  try {
    return JSON.parse(said) as unknown;
  } catch {
    return undefined;
  }
}
