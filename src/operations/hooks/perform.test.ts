import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { systemClock } from '../../clock.ts';
import type { Hook, HookAction } from '../../domain/hook.ts';
import type { RunSoFar } from '../../domain/run-facts.ts';
import { RespaldoError } from '../../errors.ts';
import { HostRuntime } from '../../runtimes/host.ts';
import { processesOfHost } from '../../../test/fixtures/processes.ts';
import { perform } from './perform.ts';

const run: RunSoFar = {
  ...{ plan: 'shop', run: '1', host: 'h', startedAt: new Date(), state: 'succeeded' },
  ...{ destinations: ['/srv/main'], snapshots: ['aa'], bytesProcessed: 1500, bytesAdded: 20 },
  error: { code: 'source-lost', message: 'it said "no"' },
};

const shell = (script: string, env = {}): HookAction => ({
  ...{ kind: 'command', argv: ['/bin/sh', '-c', script], env, isShell: true },
});

/** Performs it. @returns what it printed, or why it failed */
async function performed(action: HookAction, timeoutSeconds = 20, signal = new AbortController().signal) {
  const host = new HostRuntime({ grace: 200 });
  let printed = '';
  const ports = {
    ...{ host, inside: host, folder: '/', clock: systemClock },
    readSecret: async () => 'geheim',
    onBegin: () => undefined,
    onOutput: (output: string) => (printed = output),
  };
  try {
    await perform({ action, timeoutSeconds } satisfies Hook, 'after', run, ports, signal);
    return printed;
  } catch (error) {
    if (error instanceof RespaldoError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

/** A server for one request, which it answers as the test says. */
async function asked(action: (url: string) => HookAction, status = 200, headers = {}, answer = 'thanks') {
  const requests: { request: IncomingMessage; body: string }[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      requests.push({ request, body });
      response.writeHead(status, headers).end(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const result = await performed(action(`http://127.0.0.1:${String(port)}`));
    return { result, requests };
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

it('gives programs the facts, and nothing of our own environment', async () => {
  process.env.RESPALDO_PASSWORD = 'four words';
  process.env.PGPASSWORD = 'five words';
  try {
    const output = await performed(shell('env'));
    expect(output).toContain('RESPALDO_PLAN=shop');
    expect(output).toContain('RESPALDO_SNAPSHOT=aa');
    expect(output).not.toMatch(/words/);
  } finally {
    delete process.env.RESPALDO_PASSWORD;
    delete process.env.PGPASSWORD;
  }
});

it('takes no word of a program for a shell’s', async () => {
  expect(await performed({ kind: 'command', argv: ['echo', '$HOME;', '{plan}'], env: {}, isShell: false })).toBe(
    '$HOME; {plan}',
  );
});

it('shows what a program printed that failed, without the secrets that it was given', async () => {
  const action = shell('echo "I know $WORD"; echo "and tell $WORD" >&2; exit 7', { WORD: { env: 'ANY' } });
  const failure = await performed(action);
  expect(failure).toMatch(/^hook-failed: the hook after of the plan shop \(shell command\) failed: .*exit code 7/);
  expect(failure).toContain('and tell ***');
  expect(failure).toContain('I know ***');
  expect(failure).not.toContain('geheim');
});

it('keeps the end of what is too much', async () => {
  const output = await performed(shell('yes | head -c 1000000; echo the end'));
  expect(output.length).toBeLessThan(9000);
  expect(output).toMatch(/^… [^]*the end$/);
});

it('ends a program that takes too long, with all that it started', async () => {
  const failure = await performed(shell('trap "" TERM; sleep 864001 & echo begun; sleep 864001'), 1);
  expect(failure).toContain('it did not end within 1 second\nit printed:\nbegun');
  expect(await processesOfHost('sleep 864001')).toEqual([]);
});

it('gives a month to a program that may take a month', async () => {
  expect(await performed(shell('echo done'), 31 * 24 * 3600)).toBe('done');
});

it('is not begun after an abort', async () => {
  const cancelled = AbortSignal.abort(new RespaldoError('cancelled', 'interrupted'));
  expect(await performed(shell('echo too late'), 20, cancelled)).toBe('cancelled: interrupted');
});

it('sends facts that break neither an address nor JSON', async () => {
  const { result, requests } = await asked((url) => ({
    ...{ kind: 'http', method: 'POST', url: `${url}/{plan}?why={error}`, headers: { 'X-Token': { env: 'ANY' } } },
    body: { json: { text: '{plan}: {error}', tags: ['{status}'], bytes: 1 } },
  }));
  expect(result).toBe('thanks');
  const [{ request, body } = {}] = requests;
  expect(request?.url).toBe('/shop?why=it%20said%20%22no%22');
  expect(request?.headers).toMatchObject({ 'x-token': 'geheim', 'content-type': 'application/json' });
  expect(JSON.parse(body ?? '')).toEqual({ text: 'shop: it said "no"', tags: ['succeeded'], bytes: 1 });
});

const get = (url: string): HookAction => ({ kind: 'http', method: 'GET', url, headers: { 'X-Token': { env: 'ANY' } } });

it('takes nothing but 2xx for an answer, and shows the beginning of it without secrets', async () => {
  const { result } = await asked(get, 403, {}, `the token geheim is wrong ${'x'.repeat(5000)}`);
  expect(result).toMatch(/^hook-failed: .*\(GET http:\/\/127\.0\.0\.1:\d+\) failed: the answer was 403 Forbidden:\n/);
  expect(result).toContain('the token *** is wrong');
  expect(result.length).toBeLessThan(2500);
});

it('follows nobody who would have it send its secrets elsewhere', async () => {
  const { result, requests } = await asked(get, 302, { location: 'http://127.0.0.1:1/' });
  expect(result).toContain('the answer was 302 Found');
  expect(requests).toHaveLength(1);
});

it('says that nobody answers, and never an address that is secret', async () => {
  expect(await performed(get('http://127.0.0.1:1/secret-path'))).not.toContain('secret-path');
  const secret = await performed({ kind: 'http', method: 'GET', url: { env: 'ANY' }, headers: {} });
  expect(secret).toContain('the address is none of http: or https:');
  expect(secret).not.toContain('geheim');
});

it('ends a request that takes too long', async () => {
  const server = createServer(() => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const failure = await performed(get(`http://127.0.0.1:${String(port)}`), 1);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  expect(failure).toContain('it did not end within 1 second');
});
