/** The examples for Kubernetes, held to the types of its API: no unknown fields, none missing, none of another type. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'examples/kubernetes');
const files = globSync('*.yaml', { cwd: folder });

interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly [part: string]: unknown;
}

/** Not as readable: only what a test asks for. */
const resources = files.flatMap((file) =>
  parseAllDocuments(readFileSync(join(folder, file), 'utf8')).map((document) => document.toJS() as Resource),
);
const named = (kind: string): Resource => {
  const found = resources.find((resource) => resource.kind === kind);
  if (found === undefined) throw new Error(`there is no ${kind}`);
  return found;
};

/** Files that are the same each time. */
const parsed = new Map<string, ts.SourceFile>();

/** What the compiler says of the resources as literals of the API's types, which forbid fields that they do not know. */
function complaints(list: readonly Resource[]): string[] {
  const source = list
    .map((resource, n) => {
      const [group = '', version] = resource.apiVersion.includes('/')
        ? resource.apiVersion.split('/')
        : ['core', resource.apiVersion];
      const module = `kubernetes-types/${group.split('.')[0] ?? ''}/${version ?? ''}`;
      const type = `import('${module}').${resource.kind}`;
      return `export const r${n}: ${type} = ${JSON.stringify(resource)};`;
    })
    .join('\n');
  const path = join(root, 'test/e2e/resources-of-the-examples.ts');
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    module: ts.ModuleKind.Preserve,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
  };
  const host = ts.createCompilerHost(options);
  const virtual = {
    ...host,
    getSourceFile: (name: string, version: ts.ScriptTarget) => {
      if (name === path) return ts.createSourceFile(path, source, version);
      const file = parsed.get(name) ?? host.getSourceFile(name, version);
      if (file !== undefined) parsed.set(name, file);
      return file;
    },
    fileExists: (name: string) => name === path || host.fileExists(name),
    readFile: (name: string) => (name === path ? source : host.readFile(name)),
  };
  const program = ts.createProgram([path], options, virtual);
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

describe('The manifests', () => {
  it('are what the API knows', () => {
    expect(files).toHaveLength(3);
    expect(complaints(resources)).toEqual([]);
  });

  it('would be refused with a field too many, one missing, or one of another type', () => {
    const job = named('CronJob') as Resource & { spec: Record<string, unknown> };
    expect(complaints([{ ...job, spec: { ...job.spec, concurrency: 'Forbid' } }])[0]).toContain('concurrency');
    const { schedule: _, ...without } = job.spec;
    expect(complaints([{ ...job, spec: without }])[0]).toContain('schedule');
    expect(complaints([{ ...job, spec: { ...job.spec, suspend: 'no' } }])[0]).toContain('boolean');
    expect(complaints([{ ...job, kind: 'CronJobs' }])[0]).toContain('CronJobs');
  });

  it('allow Respaldo to look for pods and to run programs in them, in its namespace, and nothing else', () => {
    expect(resources.filter(({ kind }) => kind.startsWith('ClusterRole'))).toEqual([]);
    expect(named('Role')['rules']).toEqual([
      { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] },
      { apiGroups: [''], resources: ['pods/exec'], verbs: ['create', 'get'] },
    ]);
  });

  it('run it one at a time, as nobody, in a file system that it cannot change', () => {
    expect(named('CronJob')).toMatchObject({
      spec: {
        concurrencyPolicy: 'Forbid',
        jobTemplate: {
          spec: {
            template: {
              spec: {
                securityContext: { runAsNonRoot: true },
                containers: [
                  {
                    securityContext: {
                      readOnlyRootFilesystem: true,
                      allowPrivilegeEscalation: false,
                      capabilities: { drop: ['ALL'] },
                    },
                  },
                ],
              },
            },
          },
        },
      },
    });
  });

  it('speak of nothing that is not there', () => {
    const text = JSON.stringify(resources);
    for (const [, name = ''] of text.matchAll(/"(?:secretName|claimName|serviceAccountName|serviceName)":"([^"]+)"/g))
      expect(resources.map(({ metadata }) => metadata.name)).toContain(name);
    const pod = (named('StatefulSet')['spec'] as { template: { metadata: { labels: Record<string, string> } } })
      .template;
    const { data } = named('ConfigMap') as Resource & { data: Record<string, string> };
    const plan = parse(data['respaldo.yaml'] ?? '') as {
      plans: { pc_db: { runtime: { kubernetes: { labels: string[] } } } };
    };
    for (const label of plan.plans.pc_db.runtime.kubernetes.labels) {
      const [key = '', value] = label.split('=');
      expect(pod.metadata.labels[key]).toBe(value);
    }
  });
});
