import { describe, expect, it } from 'vitest';
import { imageOf, podStatus } from './pod-status.ts';

describe('The image of a container in a pod', () => {
  const digest = `docker.io/library/postgres@sha256:${'0'.repeat(64)}`;
  const image = (imageID: string) => {
    const status = podStatus.parse({ containerStatuses: [{ name: 'db', image: 'postgres:17', imageID }] });
    return imageOf({ metadata: {}, status }, 'db');
  };

  it('is told with the digest by which any registry knows it, whatever the node puts before it', () => {
    expect(image(digest)).toEqual({ name: 'postgres:17', digest });
    expect(image(`docker-pullable://${digest}`)).toEqual({ name: 'postgres:17', digest });
  });

  it('has none where it was never in a registry', () => {
    expect(image(`sha256:${'0'.repeat(64)}`)).toEqual({ name: 'postgres:17' });
  });
});
