/** What a repository is going to be asked for first: it gets ready while the key is derived from the password. */
export type Soon = 'save' | 'restore';
