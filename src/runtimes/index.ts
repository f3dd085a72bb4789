/** The kinds of runtimes. A new one is a file and a line here. */
import { RespaldoError } from '../errors.ts';
import type { Runtime } from './runtime.ts';

const KINDS: Readonly<Record<string, () => Promise<Runtime>>> = {
  host: async () => new (await import('./host.ts')).HostRuntime(),
};

/** @throws RespaldoError `usage` if there is no such kind of runtime. */
export async function openRuntime(name: string): Promise<Runtime> {
  const open = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
  if (open === undefined) {
    throw new RespaldoError('usage', `there is no runtime "${name}"`, {
      hint: `This version runs tools on: ${Object.keys(KINDS).join(', ')}.`,
    });
  }
  return open();
}
