import type { Plan } from '../../domain/plan.ts';
import type { RespaldoError } from '../../errors.ts';
import type { Dueness } from '../../operations/due.ts';
import type { PlanRun } from '../../operations/plan-run.ts';
import type { PlanEnd } from '../../operations/plan-runs.ts';
import type { Output, Style } from '../output.ts';
import { harmless, quoted } from '../printable.ts';
import { renderTable, type Column } from '../table.ts';
import { count, formatBytes, formatDuration, formatTime } from '../units.ts';
import { shortId } from './snapshot.ts';

/** One plan of a command line that may mean several. */
export interface ToldPlan {
  /** By which it is told. */
  readonly name: string;
  readonly plan: Plan;
  /** Absent: it was named, or all were. */
  readonly dueness?: Dueness;
  /** Absent: it was not due. */
  readonly end?: PlanEnd<PlanRun>;
  /** From its beginning to its end. */
  readonly milliseconds?: number;
}

/** A word for what became of a plan. */
export type PlanStatus = 'succeeded' | 'incomplete' | 'failed' | 'cancelled' | 'skipped' | 'not begun' | 'not due';

const COLUMNS: readonly Column[] = [
  { title: 'Plan', flexible: 'last' },
  { title: 'Result' },
  { title: 'Snapshot' },
  { title: 'Read', align: 'right' },
  { title: 'Stored', align: 'right' },
  { title: 'Took', align: 'right' },
  { title: 'Why', flexible: true },
];

const COLORS: Readonly<Record<PlanStatus, Style>> = {
  succeeded: 'green',
  incomplete: 'yellow',
  failed: 'red',
  cancelled: 'yellow',
  skipped: 'red',
  'not begun': 'yellow',
  'not due': 'dim',
};

export function statusOf({ end }: Pick<ToldPlan, 'end'>): PlanStatus {
  switch (end?.state) {
    case undefined:
      return 'not due';
    case 'done':
      return end.value.aftermath === undefined ? end.value.state : 'failed';
    case 'failed':
      return end.error.code === 'cancelled' ? 'cancelled' : 'failed';
    case 'skipped':
      return 'skipped';
    case 'not-begun':
      return 'not begun';
  }
}

/** Why it did not succeed, if it was run. */
export function problemOf({ end }: Pick<ToldPlan, 'end'>): RespaldoError | undefined {
  if (end?.state === 'done') return end.value.aftermath ?? end.value.problem;
  return end?.state === 'failed' ? end.error : undefined;
}

export function planRunsTable(told: readonly ToldPlan[], output: Output): string {
  const rows = told.map((one) => {
    const status = statusOf(one);
    const run = one.end?.state === 'done' ? one.end.value.soFar : undefined;
    return [
      quoted(one.name),
      output.style(COLORS[status], status),
      (run?.snapshots ?? []).map((id) => output.style('cyan', shortId(id))).join('\n'),
      run === undefined ? '' : formatBytes(run.bytesProcessed, 1),
      run === undefined ? '' : formatBytes(run.bytesAdded, 1),
      one.milliseconds === undefined ? '' : formatDuration(one.milliseconds),
      why(one),
    ];
  });
  const ran = told.filter(({ end }) => end !== undefined).length;
  const late = told.length - ran;
  return [
    renderTable(COLUMNS, rows, output.room),
    `${count(ran, 'plan')}${late === 0 ? '' : `, ${String(late)} not due`}`,
  ].join('\n');
}

function why(one: ToldPlan): string {
  const { end, dueness } = one;
  if (end === undefined && dueness?.due === false && dueness.isRunning === true) return 'another process backs it up';
  if (end === undefined) return `next ${dueness?.due === false && dueness.next ? formatTime(dueness.next) : 'never'}`;
  if (end.state === 'skipped') return `${quoted(end.because)} did not succeed`;
  const problem = problemOf(one);
  if (problem !== undefined) return harmless(problem.message.split('\n', 1)[0] ?? '');
  return end.state === 'done' && end.value.state === 'incomplete' ? 'not everything could be read' : '';
}

/** What `--json` tells of all plans together. Sizes in bytes. */
export function planRunsMessage(told: readonly ToldPlan[], exitCode: number): Record<string, unknown> {
  return {
    message_type: 'plans',
    exit_code: exitCode,
    plans: told.map((one) => {
      const { name, end, dueness, milliseconds } = one;
      const problem = problemOf(one);
      const run = end?.state === 'done' ? end.value.soFar : undefined;
      return {
        plan: name,
        status: statusOf(one).replace(' ', '-'),
        due: dueness?.due,
        next: dueness?.due === false ? dueness.next : undefined,
        running: dueness?.due === false ? dueness.isRunning : undefined,
        because: end?.state === 'skipped' ? end.because : undefined,
        snapshots: run?.snapshots,
        destinations: run?.destinations,
        bytes_processed: run?.bytesProcessed,
        bytes_added: run?.bytesAdded,
        seconds: milliseconds === undefined ? undefined : Math.round(milliseconds) / 1000,
        error: problem && { code: problem.code, message: problem.message, hint: problem.hint },
      };
    }),
  };
}
