/** What `INFO` tells of a server. */
export interface ServerInfo {
  /** `Redis`, `Valkey`. */
  readonly product: string;
  readonly version: string;
  readonly role: string;
  readonly replicationId: string;
  /** How far its stream of changes has come; it moves only where `hasBacklog`. */
  readonly offset: number;
  readonly hasBacklog: boolean;
  /** Whether it is one node of a cluster. */
  readonly isClustered: boolean;
  /** Whether it reads a log of changes when it starts, and not its RDB. */
  readonly appendOnly: boolean;
  readonly usedMemory: number;
  /** Those that are not empty. */
  readonly databases: readonly DatabaseKeys[];
}

export interface DatabaseKeys {
  readonly number: number;
  readonly keys: number;
}

/** Reads the text of `INFO`. Undefined: it is none. */
export function parseInfo(text: string): ServerInfo | undefined {
  const values = new Map(
    text.split(/\r?\n/).flatMap((line) => {
      const [, name, value] = /^([^:#]+):(.*)$/.exec(line) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value] as const];
    }),
  );
  const redis = values.get('redis_version');
  if (redis === undefined) return undefined;
  const valkey = values.get('valkey_version');
  return {
    product: valkey === undefined ? 'Redis' : 'Valkey',
    version: valkey ?? redis,
    role: values.get('role') ?? '',
    replicationId: values.get('master_replid') ?? '',
    offset: Number(values.get('master_repl_offset') ?? 0),
    hasBacklog: values.get('repl_backlog_active') === '1',
    isClustered: values.get('cluster_enabled') === '1',
    appendOnly: values.get('aof_enabled') === '1',
    usedMemory: Number(values.get('used_memory') ?? 0),
    databases: [...values].flatMap(([name, value]) => {
      const [, number] = /^db(\d+)$/.exec(name) ?? [];
      const [, keys] = /(?:^|,)keys=(\d+)/.exec(value) ?? [];
      return number === undefined || keys === undefined ? [] : [{ number: Number(number), keys: Number(keys) }];
    }),
  };
}
