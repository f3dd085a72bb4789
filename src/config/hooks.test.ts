import { describe, expect, it } from 'vitest';
import type { Plan } from '../domain/plan.ts';
import { parseConfig } from './parse.ts';

const checks = { source: async () => undefined, store: async () => undefined };

async function parsed(plan: string, others = ''): Promise<{ plan?: Plan | undefined; problems: readonly string[] }> {
  const text = `repositories: { main: { url: ./r } }\nplans:\n  shop:\n    source: ./x\n${plan.replace(/^/gm, '    ')}\n${others}`;
  const { config, problems = [] } = await parseConfig(text, '/etc/shop/respaldo.yaml', checks);
  return {
    plan: config?.plans.get('shop'),
    problems: problems.map(({ line, path, message }) => `${line} ${path}: ${message}`),
  };
}

describe('hooks', () => {
  it('are commands, shell commands, commands inside and requests, one or a list of each stage', async () => {
    const { plan, problems } = await parsed(`runtime: { docker: { container: db } }
hooks:
  before: { command: [systemctl, stop, "my shop"], timeout: 1m30s }
  after:
    - shell: 'echo "{plan}" | mail -s ok root'
    - inside: psql -c 'CHECKPOINT'
      env: { PGPASSWORD: { file: pw }, LANG: C }
  on-failure: { http: { url: { env: HOOK_URL }, json: { text: "{plan}: {error}" } } }
  finally: { http: "https://example.org/ping/{status}" }`);
    expect(problems).toEqual([]);
    expect(plan?.hooks).toEqual({
      before: [
        {
          action: { kind: 'command', argv: ['systemctl', 'stop', 'my shop'], env: {}, isShell: false },
          timeoutSeconds: 90,
        },
      ],
      after: [
        {
          action: {
            ...{ kind: 'command', argv: ['/bin/sh', '-c', 'echo "{plan}" | mail -s ok root'], env: {}, isShell: true },
          },
          timeoutSeconds: 300,
        },
        {
          action: {
            ...{ kind: 'inside', argv: ['psql', '-c', 'CHECKPOINT'], isShell: false },
            env: { PGPASSWORD: { file: '/etc/shop/pw' }, LANG: 'C' },
          },
          timeoutSeconds: 300,
        },
      ],
      'on-failure': [
        {
          action: {
            ...{ kind: 'http', method: 'POST', url: { env: 'HOOK_URL' }, headers: {} },
            body: { json: { text: '{plan}: {error}' } },
          },
          timeoutSeconds: 300,
        },
      ],
      finally: [
        {
          action: { kind: 'http', method: 'GET', url: 'https://example.org/ping/{status}', headers: {} },
          timeoutSeconds: 300,
        },
      ],
    });
  });

  it.each([
    ['hooks: { before: { command: [a], shell: b } }', /hooks\.before: say what is done by exactly one of/],
    ['hooks: { before: [{ timeout: 1m }] }', /hooks\.before\.0: say what is done by exactly one of/],
    ['hooks: { before: { command: "a \'b" } }', /hooks\.before\.command: .*quote \('\) is not closed/],
    ['hooks: { before: { command: [a], timeout: soon } }', /hooks\.before\.timeout: must be a time such as 90s/],
    ['hooks: { after: { http: "ftp://x" } }', /hooks\.after\.http: must be an address such as https/],
    ['hooks: { after: { http: "http://x/{databse}" } }', /hooks\.after\.http: there is no \{databse\}/],
    ['hooks: { after: { http: { url: "http://x", json: { a: ["{nme}"] } } } }', /http\.json: there is no \{nme\}/],
    ['hooks: { after: { http: { url: "http://x", json: &a [*a] } } }', /http\.json: must not hold itself/],
    ['hooks: { after: { http: { url: "http://x", json: [.inf] } } }', /http\.json: JSON has no such number/],
    ['hooks: { before: { command: ["", x] } }', /hooks\.before\.command: must begin with the program/],
    ['hooks: { before: { command: "" } }', /hooks\.before\.command: .*there is no program/],
    ['hooks: { after: { http: { url: "http://x", json: 1, body: x } } }', /http\.json: a request has body or json/],
    ['hooks: { after: { http: { url: "http://x", body: x, method: GET } } }', /http\.method: .*none by GET/],
    ['hooks: { on_failure: { shell: x } }', /hooks\.on_failure: unknown key, did you mean on-failure\?/],
    ['hooks: { after: { shell: x, env: { A: { command: "a \'b" } } } }', /hooks\.after\.env\.A\.command: .*not closed/],
    [
      'hooks: { after: { http: { url: "http://x", headers: { X: { command: "a \'b" } } } } }',
      /http\.headers\.X\.command: .*not closed/,
    ],
    ['hooks: { finally: { inside: [a] } }', /hooks\.finally\.inside: the plan has no runtime docker or kubernetes/],
    [
      'hooks: { finally: { command: [a], env: { "A B": x } } }',
      /env\."A B": must be the name of an environment variable/,
    ],
  ])('%s is told where it is wrong', async (plan, problem) => {
    const { problems } = await parsed(plan);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(problem);
    expect(problems[0]).toMatch(/^5 /);
  });
});

describe('the order of plans', () => {
  it('is written as the plans that one depends on', async () => {
    const { plan, problems } = await parsed('depends-on: [db]', '  db: { source: ./db }');
    expect(problems).toEqual([]);
    expect(plan?.dependsOn).toEqual(['db']);
  });

  it.each([
    [
      'depends-on: [webb]',
      '  web: { source: ./w }',
      '5 plans.shop.depends-on.0: there is no plan webb, did you mean web?',
    ],
    ['depends-on: [shop]', '', '5 plans.shop.depends-on.0: these wait for each other: shop → shop'],
    [
      'depends-on: [web, db]',
      '  web: { source: ./w }\n  db: { source: ./d, depends-on: [shop] }',
      '5 plans.shop.depends-on.1: these wait for each other: shop → db → shop',
    ],
  ])('%s is told where it is wrong', async (plan, others, problem) => {
    expect((await parsed(plan, others)).problems).toEqual([problem]);
  });
});
