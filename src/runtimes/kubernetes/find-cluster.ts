import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';

import type { Clock } from '../../clock.ts';
import { RespaldoError } from '../../errors.ts';
import type { Cluster, Environment } from './cluster.ts';
import { TokenFile } from './credentials.ts';
import { readKubeconfig } from './kubeconfig.ts';

/** What every pod is given. */
const OWN_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * The cluster that is meant: a context of the kubeconfig (`KUBECONFIG`, else `~/.kube/config`); without one, the cluster
 * that we run in.
 * @param account the folder with the service account's token, for tests.
 * @throws RespaldoError `config` where there is none, or it cannot be used.
 */
export async function findCluster(
  context: string | undefined,
  env: Environment,
  clock: Clock,
  account: string = OWN_ACCOUNT,
): Promise<Cluster> {
  const listed = (env['KUBECONFIG'] ?? '').split(path.delimiter).filter((file) => file !== '');
  const usual = path.join(env['HOME'] ?? homedir(), '.kube', 'config');
  const files = listed.length > 0 ? listed : (await isThere(usual)) ? [usual] : [];
  if (files.length > 0) return readKubeconfig(files, context, env, clock);
  const host = env['KUBERNETES_SERVICE_HOST'];
  if (context === undefined && host !== undefined) return ownCluster(host, env['KUBERNETES_SERVICE_PORT'], account);
  throw new RespaldoError('config', 'there is no kubeconfig, and this is no pod of a cluster', {
    hint: 'Set KUBECONFIG, or put the file at ~/.kube/config.',
  });
}

async function ownCluster(host: string, port = '443', account: string): Promise<Cluster> {
  const token = path.join(account, 'token');
  try {
    return {
      server: new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`),
      ca: await readFile(path.join(account, 'ca.crt'), 'utf8'),
      insecure: false,
      namespace: (await readFile(path.join(account, 'namespace'), 'utf8')).trim(),
      credentials: new TokenFile(token),
    };
  } catch (error) {
    throw new RespaldoError('config', `this pod has no service account to use: ${String(error)}`, {
      hint: 'Give the pod a service account, and do not set automountServiceAccountToken: false.',
      cause: error,
    });
  }
}

async function isThere(file: string): Promise<boolean> {
  return access(file, constants.R_OK).then(
    () => true,
    () => false,
  );
}
