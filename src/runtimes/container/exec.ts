/** What a container's engine offers: to start a program inside, and to tell how it ended. */
import type { InputPipe } from '../input.ts';
import type { Exit } from '../program.ts';

/** A piece of standard output or standard error. */
export interface OutputPiece {
  readonly from: 'stdout' | 'stderr';
  readonly bytes: Uint8Array;
}

export interface ExecRequest {
  readonly argv: readonly string[];
  /** Whether there is a standard input; else it is empty. */
  readonly stdin: boolean;
  /** Absent where the engine cannot pass any, see {@link Container.passesEnvironment}. */
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: { readonly uid: number; readonly gid: number };
}

/** A program that was started in a container, and the connection to it. */
export interface Exec {
  /**
   * Both outputs, each in its order; nothing is read ahead of who reads this. Ends when both have ended.
   * @throws RespaldoError `source-lost` if the connection broke.
   */
  readonly output: AsyncIterable<OutputPiece>;
  /** Absent unless asked for. */
  readonly stdin: InputPipe | undefined;
  /** Whether {@link stdin} can be closed while the output stays open. */
  readonly closesStdin: boolean;
  /** How it ended, as the engine itself says. Asked once the output has ended. */
  exit(): Promise<Exit>;
  /**
   * Asked while nothing comes, with the connection open. @returns how the program ended, if the engine says that it
   * has; undefined where it still runs, or the engine does not say.
   * @throws RespaldoError if the container is not there any more.
   */
  look(): Promise<Exit | undefined>;
  /** Drops the connection; the program may live on. */
  close(): void;
}

/** One running container, the same one at each call. */
export interface Container {
  /** For people: `the container shop-db`. */
  readonly place: string;
  /** Whether the engine hands variables to a program. */
  readonly passesEnvironment: boolean;
  /** Whether {@link Exec.look} tells of a program's end while somebody else still holds its output. */
  readonly tellsExit: boolean;
  /** Whether an exit code of 0 means that all output has come; else the launcher has to say so. */
  readonly provesOutput: boolean;
  /** @throws RespaldoError if the program cannot be started. */
  exec(request: ExecRequest): Promise<Exec>;
}
