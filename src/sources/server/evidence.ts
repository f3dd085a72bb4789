/** Something that speaks for a server. Two points convince; what has one needs something else beside it. */
export interface Evidence {
  readonly points: 1 | 2;
  /** For people: `image postgres:16`. */
  readonly reason: string;
}

/** A label by which Docker Compose tells what it calls a container. */
export const COMPOSE_SERVICE = 'com.docker.compose.service';

export function pointsOf(evidence: readonly Evidence[]): number {
  return evidence.reduce((sum, { points }) => sum + points, 0);
}

/** An image without tag and digest. */
export function repositoryOf(image: string): string {
  return image.replace(/@.*$/, '').replace(/:[^:/]*$/, '');
}
