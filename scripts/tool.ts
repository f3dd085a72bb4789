import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';

/** The checkout's root folder. */
export const root = join(import.meta.dirname, '..');

const binaries = join(root, 'node_modules', '.bin');

/** The environment of every tool: this project's binaries come first, so that `node` is the pinned one. */
export const environment: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: [binaries, process.env.PATH ?? ''].join(delimiter),
};

export interface Outcome {
  /** Exit code; 1 when a signal ended it. */
  readonly code: number;
  /** What it wrote to standard output; empty if shown. */
  readonly stdout: string;
  /** Standard output and error together, in the order they came. */
  readonly output: string;
}

/** Runs a program in the root folder to its end. `show` lets it write to the terminal itself; `signal` ends it. */
export function run(
  argv: readonly string[],
  options: { readonly show?: boolean; readonly signal?: AbortSignal } = {},
): Promise<Outcome> {
  const [program = '', ...rest] = argv;
  const child = spawn(program, rest, {
    cwd: root,
    env: environment,
    signal: options.signal,
    stdio: options.show ? 'inherit' : ['ignore', 'pipe', 'pipe'],
  });
  const all: Buffer[] = [];
  const out: Buffer[] = [];
  child.stdout?.on('data', (piece: Buffer) => out.push(piece));
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (piece: Buffer) => all.push(piece));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) =>
      resolve({ code: code ?? 1, stdout: Buffer.concat(out).toString(), output: Buffer.concat(all).toString() }),
    );
  });
}
