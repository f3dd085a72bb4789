/** Who else uses a volume while it is read, and what its labels want. */
import type { Finding } from '../../domain/finding.ts';
import { RespaldoError } from '../../errors.ts';
import type { ContainerEngine, EngineContainer } from '../../runtimes/container-engine.ts';

/** On a container: `true` if it is to be stopped while a volume that it uses is backed up. */
const STOP_LABEL = 'respaldo.stop-during-backup';

/** Running containers with the label, the one that was started first at the beginning. @throws as {@link wantsStop} */
export async function usersToStop(engine: ContainerEngine, volume: string): Promise<readonly EngineContainer[]> {
  const users = await engine.usersOf(volume);
  return users
    .filter((user) => isBusy(user) && wantsStop(user))
    .toSorted((a, b) => Date.parse(a.startedAt) - Date.parse(b.startedAt));
}

/**
 * What may be wrong with the volume's users.
 * @throws as {@link wantsStop}, and `source-refused` for one that would be gone if it was stopped.
 */
export async function checkUsers(engine: ContainerEngine, volume: string): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const user of await engine.usersOf(volume)) {
    if (!isBusy(user)) continue;
    if (!wantsStop(user)) findings.push(busy(user, volume));
    else if (user.removedAtEnd) throw removedAtEnd(user);
  }
  return findings;
}

/** One that is frozen writes nothing. */
function isBusy({ running, paused }: EngineContainer): boolean {
  return running && !paused;
}

/** @throws RespaldoError `usage` for a label that says neither yes nor no. */
function wantsStop({ labels, name }: EngineContainer): boolean {
  const said = labels[STOP_LABEL];
  switch (said?.toLowerCase()) {
    case 'true':
      return true;
    case undefined:
    case 'false':
      return false;
    default:
      throw new RespaldoError('usage', `the container ${name} has the label ${STOP_LABEL}=${said ?? ''}`, {
        hint: 'It is either true or false.',
      });
  }
}

function busy({ name }: EngineContainer, volume: string): Finding {
  return {
    severity: 'note',
    code: 'volume-in-use',
    prominent: true,
    message:
      `the container ${name} runs and uses the volume ${volume}: what it writes meanwhile may be stored in part; ` +
      `the label ${STOP_LABEL}=true lets it be stopped for that time`,
    subject: name,
  };
}

function removedAtEnd({ name }: EngineContainer): RespaldoError {
  return new RespaldoError(
    'source-refused',
    `the container ${name} cannot be stopped during the backup: it was started by --rm, and would be gone`,
    { hint: `Start it without --rm, or without the label ${STOP_LABEL}.` },
  );
}
