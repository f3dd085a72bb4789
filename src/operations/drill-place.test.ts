import { expect, it } from 'vitest';
import type { Finding } from '../domain/finding.ts';
import type { ReadableSnapshot } from '../domain/snapshot.ts';
import { RespaldoError } from '../errors.ts';
import type { Runtime, Sandbox } from '../runtimes/runtime.ts';
import type { Driller, ProgramOrigin } from '../sources/source.ts';
import { openDrillPlace } from './drill-place.ts';

const SNAPSHOT = {} as ReadableSnapshot;
const IMAGE = { name: 'postgres:18', digest: 'postgres@sha256:1', id: 'sha256:2' };
const REQUEST = { folder: '/d', lifeline: '/d/alive', user: { uid: 1, gid: 1 } };

/** A host and an engine: what programs each place has, `none`, or why an image cannot be run. */
class Scene {
  readonly host = { kind: 'host', place: 'this host' } as Runtime;
  readonly asked: string[] = [];
  readonly findings: Finding[] = [];
  disposed = 0;
  readonly #places: Readonly<Record<string, ProgramOrigin | 'none' | RespaldoError>>;

  constructor(places: Readonly<Record<string, ProgramOrigin | 'none' | RespaldoError>>) {
    this.#places = places;
  }

  /** @returns the image that the drill runs in; undefined: this host */
  async open(wanted?: string): Promise<string | undefined> {
    const driller = {
      requirePrograms: (_snapshot, { runtime }) => {
        const found = this.#places[runtime.place] ?? 'none';
        if (found === 'own' || found === 'embedded') return Promise.resolve(found);
        return Promise.reject(
          new RespaldoError('tool-missing', `no programs on ${runtime.place}`, { hint: 'Install.' }),
        );
      },
      image: () => Promise.resolve(IMAGE),
    } satisfies Pick<Driller, 'requirePrograms' | 'image'> as unknown as Driller;
    const openSandbox = ({ image }: { readonly image: string }): Promise<Sandbox> => {
      this.asked.push(image);
      const found = this.#places[image];
      if (found === undefined) return Promise.reject(new RespaldoError('source-missing', `no image ${image}`));
      if (found instanceof RespaldoError) return Promise.reject(found);
      const dispose = (): Promise<void> => {
        this.disposed += 1;
        return Promise.resolve();
      };
      return Promise.resolve({ runtime: { kind: 'docker', place: image } as Runtime, [Symbol.asyncDispose]: dispose });
    };
    const ports = { runtime: this.host, openSandbox };
    const report = (finding: Finding): number => this.findings.push(finding);
    const { signal } = new AbortController();
    return (await openDrillPlace(driller, SNAPSHOT, wanted, REQUEST, ports, report, signal))?.runtime.place;
  }
}

it('a drill takes the programs of this host, then the snapshot’s own image, and those that come with Respaldo last', async () => {
  const host = new Scene({ 'this host': 'own', 'sha256:2': 'own' });
  expect([await host.open(), host.asked]).toEqual([undefined, []]);

  const image = new Scene({ 'this host': 'embedded', 'postgres@sha256:1': 'own', 'postgres:18': 'own' });
  expect([await image.open(), image.asked]).toEqual(['postgres@sha256:1', ['sha256:2', 'postgres@sha256:1']]);
  expect(image.findings.map(({ code, subject }) => [code, subject])).toEqual([['drill-in-image', 'postgres@sha256:1']]);

  const embedded = new Scene({ 'this host': 'embedded' });
  expect([await embedded.open(), embedded.asked.length, embedded.findings]).toEqual([undefined, 3, []]);
});

it('an image that holds no server, or an engine that refuses, leaves a drill to the programs that come with Respaldo', async () => {
  const clients = new Scene({ 'this host': 'embedded', 'sha256:2': 'none' });
  expect([await clients.open(), clients.disposed]).toEqual([undefined, 1]);
  const refusal = new RespaldoError('source-refused', 'permission denied');
  expect(await new Scene({ 'this host': 'embedded', 'sha256:2': refusal }).open()).toBeUndefined();
  await expect(new Scene({ 'sha256:2': refusal }).open()).rejects.toBe(refusal);
  await expect(new Scene({}).open()).rejects.toMatchObject({
    code: 'tool-missing',
    hint: expect.stringContaining('docker pull postgres@sha256:1') as string,
  });
});

it('an image that somebody names is the only one that a drill tries', async () => {
  const scene = new Scene({ 'this host': 'own', mine: 'own' });
  expect([await scene.open('mine'), scene.asked]).toEqual(['mine', ['mine']]);
  await expect(scene.open('other')).rejects.toMatchObject({ code: 'source-missing' });
});
