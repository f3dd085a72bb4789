/** What a container was made of. Absent parts are not known. */
export interface ContainerImage {
  /** As it was asked for: `postgres:17`. What it means may change. */
  readonly name: string;
  /** On the engine that the container ran on: `sha256:…`. */
  readonly id?: string;
  /** In a registry, for ever: `docker.io/library/postgres@sha256:…`. */
  readonly digest?: string;
}

/** By what an engine may know it, the most exact first. */
export function referencesOf({ name, id, digest }: ContainerImage): readonly string[] {
  return [id, digest, name].filter((it) => it !== undefined);
}
