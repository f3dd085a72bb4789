import { createRequire } from 'node:module';
import type Koffi from 'koffi';

/** What calls C functions. @throws where the package has no binary for this system, or was left out */
export function requireKoffi(): typeof Koffi {
  return createRequire(import.meta.url)('koffi') as typeof Koffi;
}
