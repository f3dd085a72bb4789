/** The repository, for operations and compose. */
export { initRepository, type InitOptions, openRepository } from './open.ts';
