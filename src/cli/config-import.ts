import path from 'node:path';
import { RespaldoError } from '../errors.ts';
import type { ImportedConfig } from '../config/import/import.ts';
import type { Invocation } from './invocation.ts';
import { harmless, quoted } from './printable.ts';
import { count } from './units.ts';

export interface ImportOptions {
  readonly output?: string;
  readonly stdout?: boolean;
  readonly force?: boolean;
}

/** Writes what another program's configuration becomes, and tells what became of each of its keys. */
export async function importOld(file: string, options: ImportOptions, invocation: Invocation): Promise<void> {
  const { force = false } = options;
  const { globals, output } = invocation;
  const stdout = options.stdout === true || options.output === '-';
  if (stdout && (force || (options.output !== undefined && options.output !== '-')))
    throw new RespaldoError('usage', '--stdout writes no file: it excludes --output and --force', {
      hint: 'Give one of them.',
    });
  const target = path.resolve((stdout ? undefined : options.output) ?? globals.config ?? 'respaldo.yaml');
  const { importConfig } = await import('../config/import/import.ts');
  const imported = await importConfig(path.resolve(file), target, process.env);
  if (stdout) {
    output.json({ message_type: 'config', text: imported.text, report: imported.report });
    output.result(imported.text.trimEnd());
  } else {
    await write(target, imported, force);
    const { plans, report } = imported;
    output.json({ message_type: 'config', file: target, plans, secrets: [...imported.secrets.keys()], report });
    output.result(`${quoted(target)} is written, with ${count(plans, 'plan')}`);
  }
  tell(imported, invocation, stdout);
}

/** Secrets first: a configuration that refers to nothing would be of no use. */
async function write(target: string, { text, secrets }: ImportedConfig, force: boolean): Promise<void> {
  const [{ requireFree, writeConfig }, { writeSecrets }] = await Promise.all([
    import('../config/write.ts'),
    import('../config/import/write-secrets.ts'),
  ]);
  if (!force) await requireFree(target);
  await writeSecrets(path.dirname(target), secrets, force);
  await writeConfig(target, text, force);
}

const VERDICTS = { taken: 'taken over', needless: 'not needed', attention: 'LOOK HERE' } as const;

function tell({ report, secrets }: ImportedConfig, { output }: Invocation, stdout: boolean): void {
  const width = Math.max(...Object.values(VERDICTS).map(({ length }) => length));
  for (const { key, verdict, text } of report) {
    const told = VERDICTS[verdict].padEnd(width);
    output.note(
      `  ${verdict === 'attention' ? output.style('yellow', told) : told}  ${harmless(key)}: ${harmless(text)}`,
    );
  }
  const looks = report.filter(({ verdict }) => verdict === 'attention').length;
  if (looks > 0) output.warn(`${count(looks, 'key')} of it need${looks === 1 ? 's' : ''} your attention`);
  if (stdout && secrets.size > 0)
    output.note(`not written are the secrets that it refers to: ${[...secrets.keys()].join(', ')}`);
  else
    output.note(
      `Read it, then: respaldo backup.${secrets.size > 0 ? ' Once all is well, remove the old one: it holds secrets.' : ''}`,
    );
}
