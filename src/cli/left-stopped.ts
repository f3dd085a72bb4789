import { openContainerEngine, openStoppedJournal, hasStoppedContainers } from '../compose.ts';
import { resumeStopped } from '../operations/resume-stopped.ts';
import type { Invocation } from './invocation.ts';
import { quoted } from './printable.ts';

/**
 * Starts the containers that an earlier backup had stopped before it was killed. What cannot be started is told, and the
 * command that tells it ends with 1.
 */
export async function startLeftStopped({ output, clock, exit }: Invocation): Promise<void> {
  if (!(await hasStoppedContainers(process.env))) return;
  const failures = await resumeStopped({
    journal: await openStoppedJournal(process.env, clock),
    engineAt: openContainerEngine,
    warn: (message) => output.warn(message),
    onFound: (names) => {
      output.warn(`a backup ended before it could start what it had stopped: starting ${names.map(quoted).join(', ')}`);
    },
  });
  for (const { message, hint = '' } of failures) output.alarm(`${message}. ${hint}`);
  if (failures.length > 0) exit(1);
}
