#!/usr/bin/env node
/**
 * Starts Respaldo under a Node that is new enough. Plain JavaScript that old versions of Node understand too: under
 * one of them the program runs in the Node 24 that the npm package `node` put beside it, where there is one.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const OLDEST = 24;

if (Number(process.versions.node.split('.')[0]) >= OLDEST) {
  hushExperiments();
  await start();
} else {
  const runtime = findRuntime();
  if (runtime === undefined) {
    console.error(`respaldo: needs Node.js ${OLDEST} or newer; this is ${process.version} (${process.execPath})`);
    console.error('Install Node.js 24 from https://nodejs.org, or the npm package `node` beside respaldo.');
    process.exitCode = 1;
  } else {
    await runIn(runtime);
  }
}

/** Early versions of Node 24 warn of type stripping and of SQLite; that is nothing to tell a user about. */
function hushExperiments() {
  const { emitWarning } = process;
  process.emitWarning = (warning, ...rest) => {
    const type = typeof rest[0] === 'string' ? rest[0] : rest[0]?.type;
    if (type !== 'ExperimentalWarning') emitWarning.call(process, warning, ...rest);
  };
}

/** A checkout runs its sources as they are, an installed package what was compiled from them. */
async function start() {
  const source = new URL('../src/main.ts', import.meta.url);
  await import(existsSync(source) ? source.href : new URL('../dist/main.js', import.meta.url).href);
}

/** The nearest `node_modules/node/bin/node`, looking upwards from this package. */
function findRuntime() {
  for (let folder = new URL('../', import.meta.url); ; folder = new URL('../', folder)) {
    const candidate = fileURLToPath(new URL('node_modules/node/bin/node', folder));
    if (existsSync(candidate)) return candidate;
    if (folder.pathname === '/') return undefined;
  }
}

/** The same command in another Node: this process then only passes signals on, and ends as that one ends. */
async function runIn(runtime) {
  const { spawn } = await import('node:child_process');
  const { constants } = await import('node:os');
  // The channel tells the child when this process is killed, so that it does not go on unseen.
  const child = spawn(runtime, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']) {
    process.on(signal, () => child.kill(signal));
  }
  child.on('error', (error) => {
    console.error(`respaldo: cannot run ${runtime}: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    process.exit(code ?? 128 + (constants.signals[signal] ?? 0));
  });
}
