import type { Command } from 'commander';
import { describe } from '../help.ts';
import type { Invocation } from '../invocation.ts';

export function define(command: Command, { output, version }: Invocation): void {
  describe(command, { examples: [['respaldo version', 'for a bug report']] }).action(() => {
    const node = process.versions.node;
    output.result(`respaldo ${version} on node ${node}, ${process.platform}/${process.arch}`);
    output.json({
      message_type: 'version',
      version,
      node_version: node,
      node_os: process.platform,
      node_arch: process.arch,
    });
  });
}
