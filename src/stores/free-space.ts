/** What to do about a place that is full: that of a repository, or of an archive. */
export const FREE_SPACE =
  'Free some space there (of a repository `respaldo forget` and `prune` do, of archives `respaldo archive forget`), or ' +
  'raise the quota.';
