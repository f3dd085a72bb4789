import type { SourceIo } from '../source.ts';
import type { MysqlAddress } from './address.ts';
import type { Toolbox } from './toolbox.ts';

type World = Pick<SourceIo, 'runtime' | 'signal'>;

/** Where a server is, and the tools for it: once found and logged in they serve its next work, too. */
export class Access {
  readonly #address: MysqlAddress;
  readonly #password: string | undefined;
  #tools: Toolbox | undefined;

  /** @param password where somebody gave one */
  constructor(address: MysqlAddress, password: string | undefined) {
    this.#address = address;
    this.#password = password;
  }

  /** @throws RespaldoError `tool-missing`. */
  async tools({ runtime, signal }: World): Promise<Toolbox> {
    const known = this.#tools;
    if (known?.runtime === runtime && known.signal === signal) return known;
    const { Toolbox } = await import('./toolbox.ts');
    this.#tools = await Toolbox.open(this.#address, this.#password, runtime, signal);
    return this.#tools;
  }
}
