import { expect, it } from 'vitest';

import type { Container, Exec, ExecRequest, OutputPiece } from './exec.ts';
import { ContainedProgram } from './contained-program.ts';

const PIECE = Buffer.alloc(64 * 1024, 'x');
const PIECES = 100;
const PATIENCE = { grace: 1000, pulse: 1000 };

/** An engine that hands on much of standard output before the first word of standard error. */
function engine(argv: readonly string[]): Exec {
  const mark = argv.find((word) => word.startsWith('respaldo-')) ?? '';
  const output = async function* (): AsyncGenerator<OutputPiece> {
    for (let n = 0; n < PIECES; n++) yield await Promise.resolve({ from: 'stdout', bytes: Buffer.from(PIECE) });
    yield { from: 'stderr', bytes: Buffer.from(`${mark} started 1 1\n`) };
    yield { from: 'stdout', bytes: Buffer.from('end') };
  };
  return {
    output: output(),
    stdin: undefined,
    closesStdin: true,
    exit: () => Promise.resolve({ code: 0 }),
    look: () => Promise.resolve(undefined),
    close: () => undefined,
  };
}

const container: Container = {
  place: 'the container c',
  passesEnvironment: true,
  tellsExit: true,
  provesOutput: true,
  exec: ({ argv }: ExecRequest) => Promise.resolve(engine(argv)),
};

it('a program has started although the engine hands on much of its output before it says so', async () => {
  const { signal } = new AbortController();
  const program = await ContainedProgram.start(container, { argv: ['yes'] }, PATIENCE, signal);
  const said = Buffer.concat(await Array.fromAsync(program.stdout as AsyncIterable<Buffer>));
  expect(said.length).toBe(PIECES * PIECE.length + 3);
  expect(await program.exited).toEqual({ code: 0 });
  program.release();
});
