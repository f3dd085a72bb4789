import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { z } from 'zod';

import type { Clock } from '../../clock.ts';
import { RespaldoError } from '../../errors.ts';

/** What shows a cluster who we are: secrets. */
export interface Proof {
  readonly authorization?: string;
  /** PEM. */
  readonly cert?: string;
  /** PEM. */
  readonly key?: string;
}

export interface Credentials {
  /** @throws RespaldoError `config`, `tool-missing`, `command-failed` */
  proof(): Promise<Proof>;
  /** The cluster did not accept the last proof. @returns whether the next one may be another. */
  refused(): boolean;
}

/** What stands in the kubeconfig itself. */
export class FixedProof implements Credentials {
  readonly #proof: Proof;

  constructor(proof: Proof) {
    this.#proof = proof;
  }

  async proof(): Promise<Proof> {
    return this.#proof;
  }

  refused(): boolean {
    return false;
  }
}

/** A file with a token, which somebody renews. */
export class TokenFile implements Credentials {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  async proof(): Promise<Proof> {
    try {
      return { authorization: `Bearer ${(await readFile(this.#file, 'utf8')).trim()}` };
    } catch (error) {
      throw new RespaldoError('config', `cannot read the token of the cluster from ${this.#file}`, { cause: error });
    }
  }

  /** It is read each time; it may have been renewed in between. */
  refused(): boolean {
    return true;
  }
}

/** A program that logs in, as `exec` of a kubeconfig names one. */
export interface LoginCommand {
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What to do where the program is missing. */
  readonly installHint?: string;
  /** Told to a program that asks for it. */
  readonly cluster?: Readonly<Record<string, unknown>>;
}

const execCredential = z.object({
  status: z.object({
    token: z.string().optional(),
    clientCertificateData: z.string().optional(),
    clientKeyData: z.string().optional(),
    expirationTimestamp: z.string().optional(),
  }),
});

/** Renewed this long before it is too late. Milliseconds. */
const EARLY_MS = 60_000;

/** Proof from a program, kept until it expires or is refused. */
export class Login implements Credentials {
  readonly #command: LoginCommand;
  readonly #clock: Clock;
  #kept: { readonly proof: Proof; readonly until: number } | undefined;

  constructor(command: LoginCommand, clock: Clock) {
    this.#command = command;
    this.#clock = clock;
  }

  async proof(): Promise<Proof> {
    if (this.#kept !== undefined && this.#clock.now().getTime() < this.#kept.until - EARLY_MS) return this.#kept.proof;
    const { token, clientCertificateData, clientKeyData, expirationTimestamp } = await this.#ask();
    const proof = {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(clientCertificateData !== undefined && { cert: clientCertificateData }),
      ...(clientKeyData !== undefined && { key: clientKeyData }),
    };
    const until = expirationTimestamp === undefined ? Infinity : Date.parse(expirationTimestamp);
    this.#kept = { proof, until };
    return proof;
  }

  refused(): boolean {
    this.#kept = undefined;
    return true;
  }

  async #ask(): Promise<z.infer<typeof execCredential>['status']> {
    const { command, args, env, apiVersion, cluster } = this.#command;
    const info = { apiVersion, kind: 'ExecCredential', spec: { interactive: false, ...(cluster && { cluster }) } };
    const child = spawn(command, args, {
      env: { ...env, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    try {
      const [said, code] = await Promise.all([text(child.stdout), ended]);
      if (code === 0) return parsed(said, command);
    } catch (error) {
      if (error instanceof RespaldoError) throw error;
      throw new RespaldoError('tool-missing', `cannot run ${command}, which should log in to the cluster`, {
        hint: this.#command.installHint ?? 'The kubeconfig names it: install it, or put its folder into PATH.',
        cause: error,
      });
    }
    throw new RespaldoError('command-failed', `${command}, which should log in to the cluster, failed`, {
      hint: 'Its own messages are above. Run `kubectl get pods` to see what it wants.',
    });
  }
}

/** What it said may be a secret, also where it is none that we understand. */
function parsed(said: string, command: string): z.infer<typeof execCredential>['status'] {
  try {
    return execCredential.parse(JSON.parse(said)).status;
  } catch {
    throw new RespaldoError('command-failed', `${command}, which should log in to the cluster, printed no credential`, {
      hint: 'It must print an ExecCredential as JSON.',
    });
  }
}
