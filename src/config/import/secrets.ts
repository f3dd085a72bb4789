/** The secrets of an imported configuration: each becomes a file of its own, and the new one refers to it. */
export class SecretFiles {
  readonly #folder: string;
  readonly #files = new Map<string, string>();

  /** @param folder where they are going to lie, relative to the new configuration */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** By path, relative to the new configuration. Never logged. */
  get files(): ReadonlyMap<string, string> {
    return this.#files;
  }

  /** @returns how the new configuration refers to it */
  keep(name: string, secret: string): { readonly file: string } {
    for (let number = 1; ; number++) {
      const file = `${this.#folder}/${name}${number === 1 ? '' : `-${String(number)}`}`;
      const there = this.#files.get(file);
      if (there !== undefined && there !== secret) continue;
      this.#files.set(file, secret);
      return { file };
    }
  }
}
