import { requireKoffi } from '../koffi.ts';

const MADV_DONTNEED = 4;

export type Discard = (memory: Uint8Array) => void;
let discard: Discard | null | undefined;

/**
 * Gives the memory of a WebAssembly instance back to the system at once, and what was in it is gone: the collector may
 * never come for it. Undefined where this is not known to work.
 */
export function loadDiscard(): Discard | undefined {
  if (discard === undefined) discard = bind();
  return discard ?? undefined;
}

function bind(): Discard | null {
  // Elsewhere the same advice may keep the content.
  if (process.platform !== 'linux') return null;
  try {
    const madvise = requireKoffi().load(null).func('int madvise(void *address, size_t length, int advice)');
    return (memory) => {
      if (madvise(memory, memory.length, MADV_DONTNEED) !== 0) memory.fill(0);
    };
  } catch {
    return null;
  }
}
