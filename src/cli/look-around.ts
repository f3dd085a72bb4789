import { openDetection } from '../compose.ts';
import type { Detection, DetectionScope } from '../domain/detection.ts';
import { detect } from '../operations/detect.ts';
import type { Invocation } from './invocation.ts';

/** Looks for servers. A cluster that is not reached takes its time: somebody who waits is told what for. */
export async function lookAround(scope: DetectionScope, { output, clock, signal }: Invocation): Promise<Detection> {
  if (output.interactive) output.status('looking for databases');
  try {
    return await detect(scope, await openDetection(scope, process.env, clock), signal);
  } finally {
    output.status('');
  }
}
