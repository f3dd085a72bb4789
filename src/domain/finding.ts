/**
 * Something noticed and worth telling: data, not an error. An error ends an operation, a finding is counted.
 *
 * - `note`: nothing to do (a file vanished while it was being read).
 * - `incomplete`: the snapshot lacks something it should hold (an unreadable file); exit code 3.
 * - `damage`: stored bytes are wrong or missing; `check` exits 1.
 */
export interface Finding {
  readonly severity: 'note' | 'incomplete' | 'damage';
  /** Stable, lower-case, hyphenated: `file-vanished`, `file-changed`, `file-unreadable`, `pack-damaged` … */
  readonly code: string;
  /** One sentence that names what and where. */
  readonly message: string;
  /** A path, pack or blob id, relation … */
  readonly subject?: string;
  /** A note that people should see without asking for details, such as how to go on. There are few of these. */
  readonly prominent?: true;
}
