import { basename, join } from 'node:path';
import { judge, type Assertion, type DrillCheck } from '../../domain/drill.ts';
import { Stopwatch } from '../../domain/stopwatch.ts';
import { RespaldoError, throwIfAborted } from '../../errors.ts';
import type { DrillReport, DrillRequest, SourceIo } from '../source.ts';
import { immutable } from './copy.ts';
import { FOLDER, readFacts, type Facts } from './facts.ts';
import { inspect, type Inspection } from './inspection.ts';
import { ask, type Answer } from './questions.ts';

/** Restores the database to where nobody else looks, compares it with its record, and asks what the plan wants to know. */
export async function drill(request: DrillRequest, io: SourceIo): Promise<DrillReport> {
  const { snapshot, folder, extract } = request;
  if (request.settings.image !== undefined)
    throw new RespaldoError('usage', 'a SQLite database needs no server to be proven', {
      hint: 'Leave the image out.',
    });
  const facts = await readFacts(snapshot);
  const watch = new Stopwatch(request);
  const place = join(folder, 'database');
  await watch.measure('fetch', () => extract(FOLDER, place));
  const file = join(place, facts.file);
  const checks = await watch.measure('check', async () => [
    ...compare(facts, await inspect(file, io)),
    ...(await checkAssertions(file, request, io)),
  ]);
  return { server: `SQLite ${process.versions['sqlite'] ?? ''}`, times: watch.times, checks };
}

/** @throws RespaldoError `target-refused` for what only the application could check. */
function compare(facts: Facts, { damage, unchecked, facts: restored }: Inspection): readonly DrillCheck[] {
  if (unchecked !== undefined)
    throw new RespaldoError('target-refused', `the database cannot be checked here: ${unchecked}`, {
      hint: 'Only its application knows what that is. `respaldo verify --content` reads every byte back.',
    });
  const rows = new Map(restored.tables.map((table) => [table.name, table.rows]));
  const others = facts.tables.filter((table) => rows.get(table.name) !== table.rows).map(({ name }) => name);
  const total = facts.tables.reduce((sum, table) => sum + table.rows, 0);
  const alike = `${String(total)} rows in ${String(facts.tables.length)} tables, as in its record`;
  return [
    { name: 'integrity', passed: damage.length === 0, detail: damage.length === 0 ? 'ok' : damage.join('; ') },
    {
      name: 'rows',
      passed: others.length === 0,
      detail: others.length === 0 ? alike : `not as many as in its record: ${others.join(', ')}`,
    },
  ];
}

async function checkAssertions(
  file: string,
  { settings: { assertions, timeoutSeconds } }: DrillRequest,
  { runtime, signal }: SourceIo,
): Promise<readonly DrillCheck[]> {
  const checks: DrillCheck[] = [];
  for (const assertion of assertions) {
    requireThere(assertion, basename(file));
    const sql = assertion.sql.trim().replace(/;+$/, '');
    const name = `assertion ${sql.replace(/\s+/g, ' ')}`;
    const patience = AbortSignal.any([signal, AbortSignal.timeout(timeoutSeconds * 1000)]);
    try {
      const [answer] = await ask(immutable(file), [`SELECT * FROM (${sql}\n) LIMIT 2`], { runtime, signal: patience });
      checks.push({ name, ...judgeAnswer(assertion, answer) });
    } catch (error) {
      throwIfAborted(signal);
      if (!patience.aborted) throw error;
      checks.push({ name, passed: false, detail: `it may take ${String(timeoutSeconds)} s: drill.timeout` });
    }
  }
  return checks;
}

function requireThere({ database }: Assertion, file: string): void {
  if (database === undefined || database === file) return;
  throw new RespaldoError('config', `an assertion is about the database "${database}", which is not there`, {
    hint: `The snapshot holds ${file}.`,
  });
}

/** SQLite has 1 and 0 for truths. */
function judgeAnswer(assertion: Assertion, { failed, rows }: Answer = { rows: [] }): Omit<DrillCheck, 'name'> {
  if (failed !== undefined) return { passed: false, detail: failed };
  const values = rows.map(([value = null]) => value);
  const { equals, atLeast, atMost } = assertion;
  const isNumber = typeof equals === 'number' || atLeast !== undefined || atMost !== undefined;
  if (isNumber || typeof equals === 'string') return judge(assertion, values);
  const truths = new Map([
    ['1', 'true'],
    ['0', 'false'],
  ]);
  return judge(
    assertion,
    values.map((value) => truths.get(value ?? '') ?? value),
  );
}
