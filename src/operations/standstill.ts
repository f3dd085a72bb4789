/** Stopping containers for a backup, and starting them again, whatever happens in between. */
import { fateOf, type StoppedContainer } from '../domain/stopped.ts';
import { RespaldoError, throwIfAborted, toRespaldoError } from '../errors.ts';
import type { StoppedJournal, StoppedRecord } from '../journal/journal.ts';
import type { ContainerEngine, EngineContainer } from '../runtimes/container-engine.ts';
import type { Source } from '../sources/source.ts';

/** Containers that stand still. */
export interface Stillness {
  readonly names: readonly string[];
  /** Those that somebody else has started since. */
  disturbed(): Promise<readonly string[]>;
  /** Starts them. @returns why one of them does not run; undefined: all do, or somebody else has taken them over. */
  end(): Promise<RespaldoError | undefined>;
}

/**
 * Stops what has to stand still while the source is captured, the container that was started last first. What is going to
 * be done is written down before it is done.
 * @returns undefined where nobody has to.
 * @throws RespaldoError the engine's and the journal's; what was stopped until then runs again, as far as it can.
 */
export async function standStill(
  source: Source,
  journal: StoppedJournal,
  signal: AbortSignal,
): Promise<Stillness | undefined> {
  const { engine, containers = [] } = (await source.standstill?.()) ?? {};
  if (engine === undefined || containers.length === 0) return undefined;
  const ids = containers.map(({ id }) => id);
  const record = await journal.begin(engine.reach, ids);
  const end = (): Promise<RespaldoError | undefined> => bringBack(engine, record);
  try {
    for (const container of containers.toReversed()) {
      throwIfAborted(signal);
      await stop(container, engine, record);
    }
  } catch (error) {
    throw joined(toRespaldoError(error), await end());
  }
  return {
    names: containers.map(({ name }) => name),
    // Where the engine cannot be asked any more, the end tells so.
    disturbed: () => restarted(engine, record.containers).catch(() => []),
    end,
  };
}

/** Of containers that had ended, those that run again, or have. */
async function restarted(engine: ContainerEngine, stopped: readonly StoppedContainer[]): Promise<readonly string[]> {
  const names: string[] = [];
  for (const { id, name, finishedAt } of stopped) {
    const now = await engine.container(id);
    if (now !== undefined && (now.running || now.finishedAt !== finishedAt)) names.push(name);
  }
  return names;
}

/**
 * Starts what a record says that was stopped, in the reverse order, unless somebody else has started or stopped it since;
 * what does not run stays in the record.
 */
export async function bringBack(engine: ContainerEngine, record: StoppedRecord): Promise<RespaldoError | undefined> {
  let failure: RespaldoError | undefined;
  let left = record.containers;
  for (const container of left.toReversed()) {
    try {
      await start(container, engine, record.rebooted);
      left = left.filter((other) => other !== container);
      // A record that says too much does no harm: who runs already is left alone.
      await record.update(left).catch(() => undefined);
    } catch (error) {
      failure = joined(notStarted(container, toRespaldoError(error)), failure);
    }
  }
  if (left.length === 0) await record.close();
  return failure;
}

/** The second error besides the first: whoever mends one has to know of both. */
export function joined(error: RespaldoError, other: RespaldoError | undefined): RespaldoError {
  if (other === undefined) return error;
  const hint = [error.hint, other.hint].filter((text) => text !== undefined).join(' ');
  return new RespaldoError(error.code, `${error.message}; and ${other.message}`, { hint, cause: error });
}

async function stop(container: EngineContainer, engine: ContainerEngine, record: StoppedRecord): Promise<void> {
  const { id, name, startedAt, stopSeconds } = container;
  const before = record.containers;
  const asked: StoppedContainer = { id, name, startedAt, stopSeconds, askedAt: (await engine.now()).toISOString() };
  await record.update([...before, asked]);
  await engine.stop(id);
  const now = await engine.container(id);
  if (now === undefined || now.running)
    throw new RespaldoError(
      'source-refused',
      `the container ${name} was stopped, and ${now ? 'runs again' : 'is gone'}`,
      {
        hint: 'Does something else start or remove it?',
      },
    );
  await record.update([...before, { ...asked, finishedAt: now.finishedAt }]);
}

async function start(container: StoppedContainer, engine: ContainerEngine, rebooted: boolean): Promise<void> {
  const { id } = container;
  const now = await engine.container(id);
  if (now === undefined) return;
  const fate = fateOf(container, now, await engine.now(), rebooted);
  if (fate === 'leave') return;
  if (fate === 'end-and-start') await engine.stop(id);
  await engine.start(id);
  if ((await engine.container(id))?.running !== true) throw new RespaldoError('source-refused', 'it ended at once');
}

function notStarted({ name }: StoppedContainer, error: RespaldoError): RespaldoError {
  return new RespaldoError(
    'source-refused',
    `the container ${name} was stopped and does not run again: ${error.message}`,
    {
      hint: `Look at it: docker logs ${name}; start it: docker start ${name}. Each further command of Respaldo tries to.`,
      cause: error,
    },
  );
}
