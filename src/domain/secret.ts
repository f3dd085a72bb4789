/** Where a secret comes from. Only the reference travels; the secret itself is read at the moment of use. */
export type SecretReference =
  | { readonly env: string }
  /** An absolute path. */
  | { readonly file: string }
  /** Program and arguments, run without a shell in `folder`, an absolute path. */
  | { readonly command: readonly [string, ...string[]]; readonly folder: string };
