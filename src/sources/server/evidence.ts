import type { WorkloadContainer } from '../../domain/workload.ts';

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

/** By what the containers of one kind of server are known. */
export interface Signs {
  /** In the last part of an image's name. */
  readonly image: RegExp;
  /** A variable by which an image makes its server. */
  readonly settings: RegExp;
  readonly port: number;
  /** What people call it, in labels and as a container. */
  readonly names: RegExp;
  /** Labels in which they do. */
  readonly labels: readonly string[];
}

/** @param companion what belongs to such servers without being one, in the name of an image or a container */
export function isCompanionOf(companion: RegExp, { image, name }: WorkloadContainer): boolean {
  return companion.test(repositoryOf(image)) || companion.test(name);
}

/** What the container itself says. @param isClient its variables lead to a server elsewhere */
export function evidenceOfContainer(
  signs: Signs,
  { image, variables, ports, name }: WorkloadContainer,
  isClient: boolean,
): readonly Evidence[] {
  const repository = repositoryOf(image);
  const last = repository.slice(repository.lastIndexOf('/') + 1);
  const settings = Object.keys(variables).filter((it) => signs.settings.test(it));
  return [
    ...(signs.image.test(last) ? [{ points: 2, reason: `image ${image}` } as const] : []),
    ...(settings.length > 0 && !isClient
      ? [{ points: 1, reason: `variable ${settings.toSorted().slice(0, 3).join(', ')}` } as const]
      : []),
    ...(ports.includes(signs.port) ? [{ points: 1, reason: `port ${String(signs.port)}` } as const] : []),
    ...(signs.names.test(name) ? [{ points: 1, reason: `container ${name}` } as const] : []),
  ];
}

/** What labels say. */
export function evidenceOfLabels(
  { labels: asked, names }: Pick<Signs, 'labels' | 'names'>,
  labels: Readonly<Record<string, string>>,
): readonly Evidence[] {
  return asked
    .filter((label) => names.test(labels[label] ?? ''))
    .map((label) => ({ points: 2, reason: `label ${label}=${labels[label] ?? ''}` }));
}
