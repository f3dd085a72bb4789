/** The repository, for operations and compose. */
export { initRepository, type InitOptions, openRepository } from './open.ts';
export { endHeadStart, headStart } from './head-start.ts';
/** Who a process is: for whatever else a process leaves behind. */
export { isRunning, ownIdentity } from './storage/process.ts';
