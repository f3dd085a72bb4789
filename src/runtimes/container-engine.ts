/** What an engine of containers, Docker or Podman, knows of its volumes, and of who uses them. */
export interface EngineVolume {
  readonly name: string;
  /** The folder of the engine's own machine in which the volume lies. */
  readonly folder: string;
  /**
   * Whether the folder always holds the volume's content. One of another driver, or with options such as a device, may
   * be mounted only while a container runs.
   */
  readonly plain: boolean;
}

export interface EngineContainer {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly running: boolean;
  /** Frozen: it runs, and does nothing. */
  readonly paused: boolean;
  /** RFC 3339, as the engine's clock says; of a container that never ran, or never ended, the year 1. */
  readonly startedAt: string;
  readonly finishedAt: string;
  /** The engine removes it as soon as it has ended. */
  readonly removedAtEnd: boolean;
  /** How long it is given to end before it is killed: seconds. */
  readonly stopSeconds: number;
}

/**
 * Everything throws a RespaldoError: `source-missing` (no such volume or container, no engine), `source-refused`,
 * `source-lost`.
 */
export interface ContainerEngine {
  /** The variables by which it was found, and is found again. No secrets. */
  readonly reach: Readonly<Record<string, string>>;
  /** What its own clock shows. */
  now(): Promise<Date>;
  /** Whether it runs on this machine, so that folders of its are ours. */
  isLocal(): Promise<boolean>;

  /** Undefined: there is none. */
  volume(name: string): Promise<EngineVolume | undefined>;
  createVolume(name: string): Promise<EngineVolume>;
  removeVolume(name: string): Promise<void>;
  /** Containers that mount the volume, running or not. */
  usersOf(volume: string): Promise<readonly EngineContainer[]>;
  /** Undefined: there is none. */
  container(id: string): Promise<EngineContainer | undefined>;
  /** Returns once it has ended; one that does not run is left as it is. */
  stop(id: string): Promise<void>;
  /** One that runs is left as it is. */
  start(id: string): Promise<void>;

  /**
   * A container with a mount of the volume, through which that can be read and written wherever the engine is. Docker
   * never starts it, Podman runs its image's `tar`. Disposing removes it.
   * @param image absent: that of a container that uses the volume, else any that the engine has.
   */
  carry(volume: string, access: 'read' | 'write', image: string | undefined): Promise<VolumeCarrier>;
}

/** The folder that a volume is mounted at in a carrier, and in snapshots; engines call it so themselves. */
export const CARRIED = '_data';

export interface VolumeCarrier extends AsyncDisposable {
  /** What lies at the path, `_data/…`, as a tar archive, with the last part of the path in front of its names. */
  read(path: string, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Unpacks an archive into the folder, `/` or `/_data`, over what is there; what it says of the folder itself is ignored. */
  write(folder: string, archive: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
}
