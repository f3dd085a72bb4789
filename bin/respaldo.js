#!/usr/bin/env node
/**
 * Starts Respaldo under a Node that is new enough. Plain JavaScript that old versions of Node understand too: under
 * one of them the program runs in the Node 24 that the npm package `node` put beside it, where there is one.
 */
import { existsSync, mkdirSync, statSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const OLDEST = 24;

if (Number(process.versions.node.split('.')[0]) >= OLDEST) {
  hushExperiments();
  keepCompiledCode();
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

/**
 * Compiled code is kept between runs, also that of worker threads: a start takes half the time and, in a checkout, a
 * fifth less memory. Only in a folder that nobody else can write to, in a home of one's own (under `sudo` it may be
 * another's): what lies there is run.
 */
function keepCompiledCode() {
  const { env } = process;
  if (env.NODE_COMPILE_CACHE !== undefined || env.NODE_DISABLE_COMPILE_CACHE !== undefined) return;
  const home = homeOf();
  if (home === undefined || !isMineAlone(home)) return;
  const base = env.XDG_CACHE_HOME || join(home, '.cache');
  const folder = join(base, 'respaldo', 'compiled');
  if (![base, join(base, 'respaldo'), folder].every(isMadeForMe)) return;
  const { directory } = nodeModule.enableCompileCache(folder);
  if (directory !== undefined) env.NODE_COMPILE_CACHE = folder;
}

/** A user without a name (in a container) may have none. */
function homeOf() {
  try {
    return homedir();
  } catch {
    return undefined;
  }
}

/** One level: a recursive mkdir takes minutes to fail under /proc. */
function isMadeForMe(folder) {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (error.code !== 'EEXIST') return false;
  }
  return isMineAlone(folder);
}

function isMineAlone(folder) {
  try {
    const { uid, mode } = statSync(folder);
    return uid === process.getuid?.() && (mode & 0o022) === 0;
  } catch {
    return false;
  }
}

/** A checkout runs its sources as they are, an installed package what was compiled from them. */
async function start() {
  const source = new URL('../src/main.ts', import.meta.url);
  await import(existsSync(source) ? source.href : new URL('../dist/main.cjs', import.meta.url).href);
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
