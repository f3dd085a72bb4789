/** Names of repositories, archives and plans: no `/`, `.` or `:`, so that a name never looks like an address. */
export const NAME = /^[\p{L}\p{N}][\p{L}\p{N}_-]*$/u;

/** Told of a name that is none. */
export const NAME_RULE = 'a name holds letters, digits, - and _ only, and starts with a letter or digit';
