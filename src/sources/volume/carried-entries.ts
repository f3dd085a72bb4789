import type { Entry, Metadata, Report, Selection } from '../../domain/entry.ts';
import { compilePatterns } from '../../domain/pattern.ts';
import { readTarMembers, type TarMember } from '../../domain/tar-reader.ts';
import { RespaldoError } from '../../errors.ts';
import { CARRIED, type EngineVolume, type VolumeCarrier } from '../../runtimes/container-engine.ts';

const NS_PER_SECOND = 1_000_000_000n;

/**
 * The volume's content as the engine hands it out: everything is read, times are whole seconds. A file of several names
 * becomes a file for each.
 * @throws RespaldoError `source-lost` where the archive is not whole: a file changed its size while it was read.
 */
export async function* carriedEntries(
  carrier: VolumeCarrier,
  volume: EngineVolume,
  selection: Selection,
  report: Report,
  signal: AbortSignal,
): AsyncGenerator<Entry> {
  const excludes = excludesOf(selection, volume);
  let linked = 0;
  for await (const member of membersOf(carrier, CARRIED, volume, signal)) {
    if (excludes(member)) continue;
    const path = `/${member.name}`;
    const metadata = metadataOf(member);
    switch (member.kind) {
      case 'directory':
        yield { kind: 'directory', path, metadata };
        break;
      case 'symlink':
        yield { kind: 'symlink', path, metadata, target: member.target };
        break;
      case 'file':
        yield { kind: 'file', path, metadata, content: member.content };
        break;
      case 'hard-link':
        linked += 1;
        yield { kind: 'file', path, metadata, content: contentOf(carrier, member.target, volume, signal) };
        break;
      case 'fifo':
      case 'device':
        report(leftOut(member, volume));
    }
  }
  if (linked > 0) report(copied(linked, volume));
}

function membersOf(
  carrier: VolumeCarrier,
  path: string,
  { name }: EngineVolume,
  signal: AbortSignal,
): AsyncGenerator<TarMember> {
  return readTarMembers(
    carrier.read(path, signal),
    (what) =>
      new RespaldoError('source-lost', `what the engine sent of the volume ${name} is not whole: ${what}`, {
        hint: 'A file that changes while it is read has this effect. Stop who writes it, or label the container respaldo.stop-during-backup=true.',
      }),
  );
}

/** Of one file, under another name. */
async function* contentOf(
  carrier: VolumeCarrier,
  path: string,
  volume: EngineVolume,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for await (const member of membersOf(carrier, path, volume, signal)) yield* member.content;
}

/**
 * Patterns mean the paths that the files have on the engine's machine, so that they say the same wherever it is.
 * @throws RespaldoError `usage` for what takes more than a file's own name and size to know.
 */
function excludesOf(selection: Selection, { name, folder }: EngineVolume): (member: TarMember) => boolean {
  const { exclude, iexclude = [], excludeCaches, excludeIfPresent = [], excludeLargerThan = Infinity } = selection;
  if (excludeCaches || excludeIfPresent.length > 0)
    throw new RespaldoError('usage', `the marks of folders cannot be looked for in the volume ${name} from here`, {
      hint: 'Leave out --exclude-caches and --exclude-if-present, or run Respaldo as root where the engine runs.',
    });
  const patterns = [compilePatterns(exclude), compilePatterns(iexclude, { ignoreCase: true })];
  return (member) => {
    const path = `${folder}${member.name.slice(CARRIED.length)}`;
    if (patterns.some((some) => some.count > 0 && some.matches(path).match)) return true;
    return member.kind === 'file' && member.size > excludeLargerThan;
  };
}

function metadataOf({ mode, uid, gid, mtime }: TarMember): Metadata {
  const whole = Math.floor(mtime);
  const time = BigInt(whole) * NS_PER_SECOND + BigInt(Math.round((mtime - whole) * 1e6)) * 1000n;
  return { mode, uid, gid, mtimeNs: time, atimeNs: time, ctimeNs: time };
}

function leftOut({ kind, name }: TarMember, volume: EngineVolume) {
  return {
    severity: 'note',
    code: 'entry-left-out',
    message: `${name} of the volume ${volume.name} is a ${kind}, and was left out`,
    subject: name,
  } as const;
}

function copied(linked: number, { name }: EngineVolume) {
  return {
    severity: 'note',
    code: 'links-copied',
    message: `${linked} further names of files in the volume ${name} were stored as files of their own`,
    subject: name,
  } as const;
}
