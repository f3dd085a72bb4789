import { z } from 'zod';

import type { RuntimeTarget } from '../domain/runtime-target.ts';

const text = z.string().min(1, 'must not be empty');
const context = text.optional();
const labels = z
  .array(text.regex(/^[^=,\s]+(=[^,\s]*)?$/, 'must be a label such as app=db'))
  .min(1, 'must name at least one label')
  .optional();

const docker = z
  .strictObject({
    container: text.optional().meta({ title: 'Container', description: 'Its name or id.' }),
    labels: labels.meta({
      title: 'Labels',
      description: 'Labels that only one running container has.',
      examples: [['com.docker.compose.project=shop', 'com.docker.compose.service=db']],
    }),
    context: context.meta({
      title: 'Context',
      description: 'Which of Docker’s contexts. Absent: DOCKER_HOST, or the current context.',
    }),
  })
  .refine(({ container, labels }) => (container === undefined) !== (labels === undefined), {
    error: 'say which container is meant by exactly one of container and labels',
  })
  .meta({ title: 'Docker', description: 'A container of Docker or Podman.' });

const kubernetes = z
  .strictObject({
    pod: text.optional().meta({ title: 'Pod', description: 'Its name.' }),
    labels: labels.meta({
      title: 'Labels',
      description: 'Labels that only one ready pod has.',
      examples: [['app=postgres', 'role=primary']],
    }),
    namespace: text.optional().meta({ title: 'Namespace', description: 'Absent: that of the context.' }),
    container: text
      .optional()
      .meta({ title: 'Container', description: 'Of the pod. Absent: its default one, or the only one.' }),
    context: context.meta({
      title: 'Context',
      description: 'Of the kubeconfig. Absent: the current one, or the cluster that Respaldo runs in.',
    }),
  })
  .refine(({ pod, labels }) => (pod === undefined) !== (labels === undefined), {
    error: 'say which pod is meant by exactly one of pod and labels',
  })
  .meta({ title: 'Kubernetes', description: 'A container of a pod.' });

export const runtimeSchema = z
  .union([z.literal('host'), z.strictObject({ docker }), z.strictObject({ kubernetes })])
  .meta({
    title: 'Runtime',
    description: 'Where the tools of a database run: this host, or the container or pod that the database is in.',
  });

export function toRuntimeTarget(setting: z.output<typeof runtimeSchema>): RuntimeTarget {
  if (setting === 'host') return { kind: 'host' };
  if ('docker' in setting) return { kind: 'docker', ...withLabels(defined(setting.docker)) };
  return { kind: 'kubernetes', ...withLabels(defined(setting.kubernetes)) };
}

function withLabels<T extends { readonly labels?: readonly string[] }>(
  target: T,
): T & { readonly labels: readonly string[] } {
  return { ...target, labels: target.labels ?? [] };
}

/** Without what was left out: absent is not the same as undefined. */
function defined<T extends object>(setting: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(setting).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
