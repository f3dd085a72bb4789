import type { DetectedServer } from '../../../domain/detection.ts';
import type { Workload, WorkloadContainer } from '../../../domain/workload.ts';
import { recogniseBy, type Marks } from '../../server/recognition.ts';
import { loginVariables, SUPERUSER } from '../login-variables.ts';
import { evidenceAround, evidenceOf, isCompanion } from './evidence.ts';

const MARKS: Marks = {
  kind: 'postgres',
  called: /^postgres(?:ql)?$/,
  superuser: SUPERUSER,
  roles: {
    labels: [
      'role',
      'cnpg.io/instanceRole',
      'spilo-role',
      'postgres-operator.crunchydata.com/role',
      'app.kubernetes.io/component',
    ],
    replica: /^(?:replica|standby|secondary|slave|read|readonly)$/i,
    primary: /^(?:primary|master|leader)$/i,
  },
  evidenceAround,
  evidenceOf,
  isCompanion,
  versionOf,
  loginVariables,
  addressOf: (databases) => `postgresql:///${databases}?method=logical`,
};

/** The server that a container or pod is, judged by what is told of it; undefined where it seems to be none. */
export function recognise(workload: Workload): DetectedServer | undefined {
  return recogniseBy(MARKS, workload);
}

function versionOf({ image, variables }: WorkloadContainer): string | undefined {
  const told = variables['PG_VERSION'] ?? variables['PG_MAJOR'] ?? variables['APP_VERSION'];
  const tag = /:(?:pg)?(\d+(?:\.\d+)*)(?:[-.@]|$)/.exec(image)?.[1];
  return /^\d+(?:\.\d+)*/.exec(told ?? '')?.[0] ?? tag;
}
