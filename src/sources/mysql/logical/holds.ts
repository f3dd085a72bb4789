/** What the manifest of a portable file of accounts says that it holds. */
export const ACCOUNTS_AND_GRANTS = 'accounts and grants';
