/** How to change tags. With `set` the other two count for nothing. */
export interface TagChange {
  /** The new tags. The tag `incomplete` stays where it is: only `remove` takes it. */
  readonly set?: readonly string[];
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

/** A snapshot's record was replaced: its ids. */
export interface Retagged {
  readonly before: string;
  readonly after: string;
}
