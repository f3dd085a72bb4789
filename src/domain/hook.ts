import type { SecretReference } from './secret.ts';

/** When a hook runs: before the backup of a plan, or after it, by how it went. */
export const HOOK_STAGES = ['before', 'after', 'on-failure', 'finally'] as const;
export type HookStage = (typeof HOOK_STAGES)[number];

/** How a run of a plan ended. `incomplete`: what is stored lacks something, or a hook after it failed. */
export type RunState = 'succeeded' | 'incomplete' | 'failed' | 'cancelled';

/** A text as it is written, or a secret that is read when the hook runs. */
export type HookText = string | SecretReference;

/** What a request carries: a text, or what is sent as JSON. Facts stand in it as `{plan}`. */
export type HookBody = string | { readonly json: unknown };

export type HookAction =
  | {
      /** A program of this host, or of the container or pod of the plan. */
      readonly kind: 'command' | 'inside';
      readonly argv: readonly [string, ...string[]];
      readonly env: Readonly<Record<string, HookText>>;
      /** Whether the program is a shell whose last argument is what it does: too long to be told. */
      readonly isShell: boolean;
    }
  | {
      readonly kind: 'http';
      readonly method: string;
      readonly url: HookText;
      readonly headers: Readonly<Record<string, HookText>>;
      readonly body?: HookBody;
    };

export interface Hook {
  readonly action: HookAction;
  readonly timeoutSeconds: number;
}

export const HOOK_TIMEOUT_SECONDS = 300;

/** What is done around the backup of a plan: of each stage the hooks, in their order. */
export type Hooks = Readonly<Record<HookStage, readonly Hook[]>>;

export function hasHooks(hooks: Hooks | undefined): hooks is Hooks {
  return hooks !== undefined && HOOK_STAGES.some((stage) => hooks[stage].length > 0);
}

/**
 * Which stages follow a run that has ended so, as after `try`: `after` only what succeeded, `on-failure` what failed or
 * is incomplete, `finally` everything. Who cancels knows that it failed.
 */
export function stagesAfter(state: RunState): readonly HookStage[] {
  switch (state) {
    case 'succeeded':
      return ['after', 'finally'];
    case 'incomplete':
    case 'failed':
      return ['on-failure', 'finally'];
    case 'cancelled':
      return ['finally'];
  }
}

/** Hooks that prepare something depend on each other; of those that tidy up and tell, each is tried. */
export function stopsAtFailure(stage: HookStage): boolean {
  return stage === 'before' || stage === 'after';
}
