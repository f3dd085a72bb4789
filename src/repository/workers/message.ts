/** What main thread and workers say to each other. Every field survives structured cloning. */
import type { MessagePort } from 'node:worker_threads';
import { RespaldoError, toRespaldoError, type ErrorCode } from '../../errors.ts';
import type { LaneData } from '../kernel/shared-lanes.ts';

export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string | undefined;
  readonly context: Readonly<Record<string, string | number | boolean>>;
  readonly stack: string | undefined;
}

export type ToWorker =
  /** Before it begins: to take part in deriving a key. The port is closed when it is done with that. */
  | { readonly kind: 'derive'; readonly lanes: LaneData; readonly port: MessagePort }
  | { readonly kind: 'begin'; readonly data: unknown }
  | { readonly kind: 'task'; readonly id: number; readonly task: unknown }
  | {
      readonly kind: 'received';
      readonly event: number;
      readonly error?: WireError;
      readonly room?: ArrayBuffer;
    };

export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly error: WireError }
  | { readonly kind: 'event'; readonly event: number; readonly value: unknown };

export function packError(error: unknown): WireError {
  const { code, message, hint, context, stack, cause } = toRespaldoError(error);
  return { code, message, hint, context, stack: cause instanceof Error ? cause.stack : stack };
}

export function unpackError(wire: WireError): RespaldoError {
  const error = new RespaldoError(wire.code, wire.message, {
    context: wire.context,
    ...(wire.hint === undefined ? {} : { hint: wire.hint }),
  });
  if (wire.stack !== undefined) error.stack = wire.stack;
  return error;
}
