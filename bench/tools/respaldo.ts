import { PASSWORD, type Tool } from './tool.ts';
import { verbs } from './verbs.ts';
import { versionOf } from './version.ts';

/** This program, as it is published. @param entry its `bin/respaldo.js` */
export async function openRespaldo(entry: string): Promise<Tool> {
  const version = await versionOf(process.execPath, entry, '--version');
  if (version === undefined) throw new Error(`${entry} cannot be run`);
  return {
    name: 'respaldo',
    version,
    sharesFormat: true,
    command: (task, { repository }) => {
      const argv = [process.execPath, entry, ...verbs(task)];
      const env = { RESPALDO_REPOSITORY: repository, RESPALDO_PASSWORD: PASSWORD };
      return task.kind === 'backup-stream' ? { argv, env, input: task.input } : { argv, env };
    },
  };
}
