import { readFileSync } from 'node:fs';

/** The global that TypeScript declares only together with the whole of the browser's. */
interface WebAssemblyApi {
  readonly Memory: new (descriptor: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
}

/** Bytes of memory come in pages. */
export const PAGE = 65536;

const compiled = new Map<string, object>();

/** An instance of the module in that file, with a memory of its own that never grows: views on it stay valid. */
export function instantiate(file: URL, pages: number): { readonly exports: unknown; readonly memory: ArrayBuffer } {
  const api = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;
  const module = compiled.get(file.href) ?? new api.Module(readFileSync(file));
  compiled.set(file.href, module);
  const memory = new api.Memory({ initial: pages, maximum: pages });
  const { exports } = new api.Instance(module, { env: { memory } });
  return { exports, memory: memory.buffer };
}
