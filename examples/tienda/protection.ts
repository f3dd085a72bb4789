import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.ts';
import { identity } from '../../src/cli/identity.ts';
import type { Output } from '../../src/cli/output.ts';
import { showProgress } from '../../src/cli/progress.ts';
import {
  hostRuntime,
  initRepositoryAt,
  openSandboxOf,
  openSources,
  openStoppedJournal,
  sourceKinds,
} from '../../src/compose.ts';
import { secretReader } from '../../src/config/secrets.ts';
import { DEFAULT_DRILL } from '../../src/domain/drill.ts';
import type { Finding } from '../../src/domain/finding.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { backup, backupsOf, type BackupOutcome } from '../../src/operations/backup.ts';
import { planRestore, restore } from '../../src/operations/restore.ts';
import { verify } from '../../src/operations/verify.ts';
import type { Repository, RestoreProgress, SaveProgress } from '../../src/repository/repository.ts';
import type { SandboxRequest } from '../../src/runtimes/runtime.ts';
import { progressBar } from './bar.ts';
import type { Place } from './place.ts';

/** Both snapshots of one round. */
export interface Round {
  readonly files: BackupOutcome;
  readonly server: BackupOutcome;
}

/** The shop's server and its folder under the protection of a repository, as the command line would have them. */
export class Protection implements AsyncDisposable {
  readonly repository: Repository;
  readonly #plan: Plan;
  readonly #output: Output;
  readonly #signal: AbortSignal;

  private constructor(repository: Repository, plan: Plan, output: Output, signal: AbortSignal) {
    this.repository = repository;
    this.#plan = plan;
    this.#output = output;
    this.#signal = signal;
  }

  /** Makes the repository. @param server the address of the shop's PostgreSQL. */
  static async begin(place: Place, server: string, output: Output, signal: AbortSignal): Promise<Protection> {
    const access = { url: place.repository, password: place.password, passwordFrom: place.passwordFile };
    const repository = await initRepositoryAt(access, { workingDirectory: place.folder, ...identity() }, signal);
    const plan: Plan = {
      name: 'tienda',
      sources: [{ address: place.files }, { address: server }],
      folder: place.folder,
      type: 'auto',
      tags: [],
      selection: { exclude: [], oneFileSystem: false, excludeCaches: false },
      acceptDamagedPages: false,
    };
    return new Protection(repository, plan, output, signal);
  }

  /** One snapshot of the folder and one of the server. */
  async backUp(): Promise<Round> {
    const sources = await openSources(this.#plan, secretReader({}), this.#signal, {});
    const journal = await openStoppedJournal({ RESPALDO_STATE_DIR: join(this.#plan.folder, 'state') }, systemClock);
    const outcomes: BackupOutcome[] = [];
    for (const request of backupsOf(this.#plan, sources, { ...identity(), dryRun: false })) {
      using progress = showProgress(
        this.#output,
        systemClock,
        progressBar(({ bytesDone }: SaveProgress) => bytesDone),
      );
      const ports = { repository: this.repository, runtime: await hostRuntime(), clock: systemClock, journal };
      outcomes.push(await backup(request, { ...ports, onProgress: progress.update }, this.#signal));
    }
    const [files, server] = outcomes;
    if (files === undefined || server === undefined) throw new Error('a snapshot is missing');
    return { files, server };
  }

  /**
   * Restores a snapshot, of a folder only that folder's content.
   * @returns what the restore had to say.
   */
  async restore({ snapshot }: BackupOutcome, target: string, path?: string): Promise<readonly Finding[]> {
    if (snapshot === undefined) throw new Error('there is no snapshot');
    using progress = showProgress(
      this.#output,
      systemClock,
      progressBar(({ bytesRestored }: RestoreProgress) => bytesRestored),
    );
    const ports = {
      repository: this.repository,
      runtime: await hostRuntime(),
      kinds: await sourceKinds(),
      onProgress: progress.update,
    };
    const wanted = { snapshot, target, include: [], exclude: [], dryRun: false, ...(path !== undefined && { path }) };
    const plan = await planRestore(wanted, ports, this.#signal);
    return (await restore(plan, ports, this.#signal)).findings;
  }

  /**
   * A drill, as `respaldo verify` does it: restored into a throw-away server, every table and index checked.
   * @returns the outcome with the snapshot as it is marked now, and how many checks passed.
   */
  async prove(outcome: BackupOutcome): Promise<{ readonly outcome: BackupOutcome; readonly checks: number }> {
    const { snapshot } = outcome;
    if (snapshot === undefined) throw new Error('there is no snapshot');
    const ports = {
      repository: this.repository,
      runtime: await hostRuntime(),
      kinds: await sourceKinds(),
      clock: systemClock,
      openSandbox: (wanted: SandboxRequest) => openSandboxOf(wanted, {}),
    };
    const settings = { ...DEFAULT_DRILL, assertions: [{ sql: 'SELECT count(*) > 0 FROM pedidos' }] };
    const { id, state, report } = await verify({ snapshot, settings, folder: tmpdir() }, ports, this.#signal);
    if (state !== 'proven') throw new Error(JSON.stringify(report.checks.filter(({ passed }) => !passed)));
    const marked = await this.repository.find(id, {}, this.#signal);
    return { outcome: { ...outcome, snapshot: marked }, checks: report.checks.length };
  }

  /** Reads, decrypts and hashes everything that is stored. */
  async requireSound(): Promise<void> {
    const findings: Finding[] = [];
    for await (const finding of this.repository.check({ readData: true }, this.#signal)) findings.push(finding);
    if (findings.length > 0) throw new Error(findings.map(({ message }) => message).join('\n'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.repository.close();
  }
}
