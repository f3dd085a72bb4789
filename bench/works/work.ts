/** A kind of work that is measured: what is done before the clock runs, and what while it runs. */
import type { Ground } from '../ground.ts';
import type { Command, Tool } from '../tools/tool.ts';

/** Where a tool does a row's work. */
export interface Site {
  readonly ground: Ground;
  readonly tool: Tool;
  /** The row's data: a folder, a file or a repository. */
  readonly data: string;
  /** Of this tool and row alone; it exists. */
  readonly folder: string;
}

/** One run, ready to be measured. */
export interface Trial {
  readonly command: Command;
  /** A file or folder that it reads: read by us before it is measured, so that the disk has no say. */
  readonly reads: string;
  /** Looks whether it has done what it should. @throws Error */
  readonly verify?: () => Promise<void>;
  /** The repository whose size tells how well the work was done. */
  readonly repository?: string;
}

/** Makes everything ready for the run of this number. */
export type NextTrial = (run: number) => Promise<Trial>;

/** Prepares what all runs share. */
export type Work = (site: Site) => Promise<NextTrial>;
