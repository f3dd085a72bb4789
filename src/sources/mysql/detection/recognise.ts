import type { DetectedServer } from '../../../domain/detection.ts';
import type { Workload, WorkloadContainer } from '../../../domain/workload.ts';
import { recogniseBy, type Marks } from '../../server/recognition.ts';
import { loginVariables, SUPERUSER } from '../login-variables.ts';
import { evidenceAround, evidenceOf, isCompanion } from './evidence.ts';

const MARKS: Marks = {
  kind: 'mysql',
  called: /^(?:mysql|mariadb)$/,
  superuser: SUPERUSER,
  roles: {
    labels: ['role', 'app.kubernetes.io/component', 'k8s.mariadb.com/role', 'mysql.oracle.com/cluster-role'],
    replica: /^(?:replica|secondary|slave|standby|read)$/i,
    primary: /^(?:primary|master)$/i,
  },
  evidenceAround,
  evidenceOf,
  isCompanion,
  versionOf,
  loginVariables,
  addressOf: (databases) => `mysql:///${databases}`,
};

/** The server that a container or pod is, judged by what is told of it; undefined where it seems to be none. */
export function recognise(workload: Workload): DetectedServer | undefined {
  return recogniseBy(MARKS, workload);
}

function versionOf({ image, variables }: WorkloadContainer): string | undefined {
  const told = variables['MARIADB_VERSION'] ?? variables['MYSQL_VERSION'] ?? variables['APP_VERSION'];
  const tag = /:(\d+(?:\.\d+)*)(?:[-.@]|$)/.exec(image)?.[1];
  return /(?:^|:)(\d+(?:\.\d+)+)/.exec(told ?? '')?.[1] ?? tag;
}
