import { RespaldoError } from '../errors.ts';

/** How the addresses of one kind of store are refused. */
export class AddressRefusal {
  readonly #kind: string;
  readonly #forms: string;

  /**
   * @param kind as in "the SFTP address"
   * @param forms what such addresses look like: the hint
   */
  constructor(kind: string, forms: string) {
    this.#kind = kind;
    this.#forms = forms;
  }

  /** @param what is wrong with it, as a clause */
  wrong(what: string, cause?: unknown): RespaldoError {
    return new RespaldoError('usage', `the ${this.#kind} address cannot be used: ${what}`, {
      hint: this.#forms,
      cause,
    });
  }

  /** @param instead what to do with the secret */
  holding(secret: string, instead: string): RespaldoError {
    return new RespaldoError('usage', `the ${this.#kind} address holds ${secret}`, {
      hint: `Addresses end up in logs and histories. ${instead}`,
    });
  }

  /** What percent signs stand for. @throws RespaldoError where they stand for nothing */
  decoded(text: string): string {
    try {
      return decodeURIComponent(text);
    } catch (error) {
      throw this.wrong('a percent sign is written %25', error);
    }
  }
}
