/** The repository, for operations and compose. */
export { initRepository, type InitOptions, openRepository, type OpenOptions } from './open.ts';
