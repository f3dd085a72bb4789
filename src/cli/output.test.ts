import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { Output, Statuses, type OutputMode } from './output.ts';
import { Screen } from './screen.ts';

const PLAIN: OutputMode = { json: false, quiet: false, verbosity: 0, color: false };

function outputTo(mode: Partial<OutputMode>, terminal = false) {
  const stdout = new PassThrough();
  const stderr = Object.assign(new PassThrough(), { isTTY: terminal, columns: 80 });
  const output = new Output(
    { ...PLAIN, ...mode },
    new Screen(stdout as unknown as NodeJS.WriteStream, stderr as unknown as NodeJS.WriteStream),
  );
  const written = () => {
    output.flush();
    return [String(stdout.read() ?? ''), String(stderr.read() ?? '')];
  };
  return { output, stdout, written };
}

function everything(output: Output): void {
  output.result('result');
  output.note('note');
  output.detail('detail');
  output.warn('careful');
  output.json({ message_type: 'x' });
}

test('people get results and narration, and warnings apart from them', () => {
  const { output, written } = outputTo({});
  everything(output);
  expect(written()).toEqual(['result\nnote\n', 'warning: careful\n']);
});

test('quiet leaves results and warnings', () => {
  const { output, written } = outputTo({ quiet: true, verbosity: 1 });
  everything(output);
  expect(written()).toEqual(['result\n', 'warning: careful\n']);
});

test('verbose adds details', () => {
  const { output, written } = outputTo({ verbosity: 1 });
  everything(output);
  expect(written()[0]).toBe('result\nnote\ndetail\n');
});

test('programs get messages alone, each on its line', () => {
  const { output, written } = outputTo({ json: true });
  everything(output);
  output.jsonError({ message_type: 'error' });
  expect(written()).toEqual(['{"message_type":"x"}\n', '{"message_type":"error"}\n']);
});

test('lines appear above the status line, which is drawn again', () => {
  const { output, written } = outputTo({}, true);
  output.status('50%');
  output.warn('slow');
  output.status('');
  const [, terminal] = written();
  const erase = '\r\u001b[2K';
  expect(terminal).toBe(`${erase}50%${erase}warning: slow\n${erase}50%${erase}`);
});

test('after the reader has gone nothing is written, and nothing fails', async () => {
  const { output, stdout, written } = outputTo({});
  stdout.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  await new Promise((resolve) => setImmediate(resolve));
  output.result('more');
  await output.bytes(Uint8Array.of(1));
  expect(output.closed).toBe(true);
  expect(output.failure).toBeUndefined();
  expect(written()[0]).toBe('');
});

test('a full disk under standard output is told from a reader that went away', async () => {
  const { output, stdout } = outputTo({});
  stdout.destroy(Object.assign(new Error('no space left'), { code: 'ENOSPC' }));
  await new Promise((resolve) => setImmediate(resolve));
  expect(output.failure?.message).toBe('no space left');
});

test('of several who speak at once each line tells whose it is, and all share the status line', () => {
  const { output, written } = outputTo({}, true);
  const statuses = new Statuses();
  const [shop, web] = [output.of('shop', statuses), output.of('web', statuses)];
  shop.note('one\ntwo');
  web.warn('slow');
  shop.status('50%');
  web.status('7%');
  shop.status('');
  const [narration, terminal] = written();
  const erase = '\r\u001b[2K';
  expect(narration).toBe('shop: one\nshop: two\n');
  expect(terminal).toBe(`web: warning: slow\n${erase}shop 50%${erase}shop 50%  web 7%${erase}web 7%`);
});

test('programs are told of several together, and whose an error is', () => {
  const { output, written } = outputTo({ json: true });
  const shop = output.of('shop', new Statuses());
  shop.json({ message_type: 'summary' });
  shop.jsonError({ message_type: 'error' });
  expect(written()).toEqual(['', '{"message_type":"error","plan":"shop"}\n']);
});

test('a status line that several share fits the terminal', () => {
  const { output, written } = outputTo({}, true);
  const statuses = new Statuses();
  const voices = ['shop', 'web'].map((name) => output.of(name, statuses));
  for (const voice of voices) voice.status('x'.repeat(voice.columns - 1));
  const lines = written()[1]?.split('\r\u001b[2K') ?? [];
  expect(lines.at(-1)).toMatch(/^shop x+ …$/);
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(80);
  const line = voices.map((voice) => 'x'.repeat(voice.columns - 1));
  expect(['shop', 'web'].map((name, at) => statuses.with(name, line[at] ?? '')).at(-1)?.length).toBeLessThan(80);
});
