/** Where the files of old sources went, as archives. */
import { type OldConfig, type OldDestination, type OldSource } from './old-config.ts';
import type { Report } from './report.ts';
import type { SecretFiles } from './secrets.ts';

/** As respaldo.yaml writes one. */
export interface NewArchive {
  readonly url: string;
  readonly credentials?: Readonly<Record<string, { readonly file: string }>>;
  readonly name: string;
  readonly compression: string;
  readonly encryption?: string;
  readonly temp?: string;
}

/** The names that backup.py gave were a database's and an ending; with a time none is in the way of another. */
const TEMPLATE = '{plan}-{database}-{time}';
const AMAZON = 's3.amazonaws.com';
const KEYS = [
  ['AWS_ACCESS_KEY_ID', 'access-key-id'],
  ['AWS_SECRET_ACCESS_KEY', 'secret-access-key'],
  ['AWS_SESSION_TOKEN', 'session-token'],
] as const;

/** Makes archives of destinations: sources that agree about everything share one. */
export class Archives {
  readonly #old: OldConfig;
  readonly #encryptions: ReadonlyMap<string, string>;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #secrets: SecretFiles;
  readonly #report: Report;
  readonly #made = new Map<string, NewArchive>();
  /** Destinations whose keys were told of. */
  readonly #told = new Set<string>();

  /** @param env where boto3 finds the address of a server that is not Amazon's */
  constructor(old: OldConfig, env: Readonly<Record<string, string | undefined>>, secrets: SecretFiles, report: Report) {
    this.#old = old;
    this.#encryptions = soundNames(Object.keys(old.encryptions ?? {}));
    this.#env = env;
    this.#secrets = secrets;
    this.#report = report;
  }

  /** The new names of encryptions by their old ones. */
  get encryptions(): ReadonlyMap<string, string> {
    return this.#encryptions;
  }

  /** By name. */
  get all(): ReadonlyMap<string, NewArchive> {
    return this.#made;
  }

  /** @returns the names of those that the source's files go to */
  of(source: OldSource, report: Report): readonly string[] {
    const { temp, compress, cleanup = true, destination: name } = source;
    const destination = this.#destination(name);
    const encryption = this.#encryption(source, report);
    const made = { name: TEMPLATE, compression: compress ?? 'none', ...(encryption !== undefined && { encryption }) };
    const local = () => this.#archive('local', { url: asFolder(temp), ...made });
    if (!temp.startsWith('/')) report.attention('temp', 'is relative: it starts from the folder of respaldo.yaml now');
    if (compress !== undefined) report.taken('compress', `compression of its archive: ${compress}`);
    if (destination === undefined || name === undefined) {
      const archive = local();
      report.taken('temp', `archives.${archive}.url: the files stay there`);
      if (name !== undefined)
        report.attention(
          'destination',
          `there is no destination ${name}: the files stay in ${temp}, archives.${archive}`,
        );
      if (source.cleanup !== undefined) report.needless('cleanup', 'nothing is sent that could be removed afterwards');
      return [archive];
    }
    const remote = this.#archive(name, {
      ...this.#place(name, destination),
      ...made,
      ...(cleanup && { temp: asFolder(temp) }),
    });
    report.taken('destination', `archives.${remote}`);
    if (cleanup) {
      report.taken('temp', `archives.${remote}.temp: each file is made there before it is sent`);
      if (source.cleanup !== undefined)
        report.taken('cleanup', 'a file is removed from temp once it is confirmed where it was sent to');
      return [remote];
    }
    const kept = local();
    report.taken('temp', `archives.${kept}.url`);
    report.taken('cleanup', `the files are kept in temp, too: archives.${kept}`);
    return [remote, kept];
  }

  /** What every object of JavaScript has is no destination. */
  #destination(name: string | undefined): OldDestination | undefined {
    const { destinations = {} } = this.#old;
    return name !== undefined && Object.hasOwn(destinations, name) ? destinations[name] : undefined;
  }

  #encryption({ encryption: name }: OldSource, report: Report): string | undefined {
    if (name === undefined) return undefined;
    const called = this.#encryptions.get(name) ?? name;
    report.taken('encryption', `encryptions.${called}`);
    return called;
  }

  #place(name: string, old: OldDestination): Pick<NewArchive, 'url' | 'credentials'> {
    const report = this.#report.below(`destinations.${name}`);
    const prefix = (old.prefix ?? '').replace(/^\/+|\/+$/g, '');
    const endpoint = this.#env['AWS_ENDPOINT_URL_S3'] || this.#env['AWS_ENDPOINT_URL'];
    const server = endpoint === undefined || endpoint === '' ? AMAZON : endpoint.replace(/\/+$/, '');
    const path = [old.S3_BUCKET, ...(prefix === '' ? [] : [prefix])].join('/');
    const url = `s3:${server}/${server === AMAZON ? path : path.split('/').map(encodeURIComponent).join('/')}`;
    const keys = KEYS.flatMap(([key, as]) => {
      const secret = old[key];
      return secret === undefined ? [] : [[key, as, secret] as const];
    });
    const credentials = keys.map(
      ([, as, secret]) => [as, this.#secrets.keep(`${soundName(name)}-${as}`, secret)] as const,
    );
    if (!this.#told.has(name)) {
      this.#told.add(name);
      report.taken('method', `${url}${server === AMAZON ? '' : ', the server of AWS_ENDPOINT_URL'}`);
      report.taken('S3_BUCKET', url);
      if (old.prefix !== undefined) report.taken('prefix', url);
      for (const [index, [key]] of keys.entries())
        report.taken(key, `in the file ${credentials[index]?.[1].file ?? ''}, which only you may read`);
      if (keys.length === 1) report.attention(keys[0]?.[0] ?? '', 'is one half of a pair: the other one is missing');
    }
    return { url, ...(keys.length > 1 && { credentials: Object.fromEntries(credentials) }) };
  }

  /** @returns its name, which is a number longer where another one has it. */
  #archive(wanted: string, archive: NewArchive): string {
    const base = soundName(wanted);
    for (let number = 1; ; number++) {
      const name = number === 1 ? base : `${base}-${String(number)}`;
      const there = this.#made.get(name);
      if (there !== undefined && JSON.stringify(there) !== JSON.stringify(archive)) continue;
      this.#made.set(name, archive);
      return name;
    }
  }
}

/** Names that respaldo.yaml takes, no two alike, by those that they stand for. */
function soundNames(names: readonly string[]): ReadonlyMap<string, string> {
  const taken = new Map<string, string>();
  for (const name of names) {
    const used = new Set(taken.values());
    const sound = soundName(name);
    let free = sound;
    for (let number = 2; used.has(free); number++) free = `${sound}-${String(number)}`;
    taken.set(name, free);
  }
  return taken;
}

/** What looks like an address is a folder all the same. */
export function asFolder(path: string): string {
  return /^[a-z][a-z0-9+-]*:/i.test(path) ? `./${path}` : path;
}

/** What is no letter, digit, - or _ becomes a dash. */
export function soundName(name: string): string {
  const sound = name.replace(/[^\p{L}\p{N}_-]+/gu, '-').replace(/^[-_]+|-+$/g, '');
  return sound === '' ? 'unnamed' : sound;
}
