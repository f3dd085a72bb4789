import type { DetectedServer } from '../../../domain/detection.ts';
import type { Workload, WorkloadContainer } from '../../../domain/workload.ts';
import { recogniseBy, type Marks } from '../../server/recognition.ts';
import { PASSWORDS, SUPERUSER } from '../login-variables.ts';
import { evidenceAround, evidenceOf, isCompanion } from './evidence.ts';

const MARKS: Marks = {
  kind: 'redis',
  called: /^(?:redis|valkey)$/,
  superuser: SUPERUSER,
  roles: {
    labels: ['role', 'app.kubernetes.io/component', 'redis-role', 'valkey-role'],
    replica: /^(?:replicas?|secondary|slave)$/i,
    primary: /^(?:primary|master|leader)$/i,
  },
  evidenceAround,
  evidenceOf,
  isCompanion,
  versionOf,
  loginVariables: () => ({ users: [], passwords: PASSWORDS }),
  // A backup holds all of its databases.
  addressOf: () => 'redis://localhost:6379',
};

/** The server that a container or pod is, judged by what is told of it; undefined where it seems to be none. */
export function recognise(workload: Workload): DetectedServer | undefined {
  return recogniseBy(MARKS, workload);
}

function versionOf({ image, variables }: WorkloadContainer): string | undefined {
  const told = variables['VALKEY_VERSION'] ?? variables['REDIS_VERSION'] ?? variables['APP_VERSION'];
  return /^\d+(?:\.\d+)+/.exec(told ?? '')?.[0] ?? /:(\d+(?:\.\d+)*)(?:[-.@]|$)/.exec(image)?.[1];
}
