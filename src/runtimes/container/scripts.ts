/**
 * What runs inside of a container around a program. Engines start programs but cannot end them, so a small shell script
 * tells the program's number before it becomes the program, and another ends everybody in that program's group. The
 * command's own words are never part of a script: they are arguments, which no shell reads.
 *
 * Written for any POSIX shell; only `dd`, `sleep` and `setsid` are programs, each where it cannot be done without.
 */

/** How what arrives on standard input is to be taken. */
export type InputMode =
  /** It is the program's own. */
  | 'plain'
  /** The program gets an empty one. */
  | 'none'
  /** The same, and the program's end is told, after all that it has said. */
  | 'watched'
  /** Pieces, each after a line with its length; a length of 0 ends it. Where the connection cannot be half closed. */
  | 'framed';

/** Of `/proc/<pid>/stat`, what follows the name (which may hold anything): state, parent, group, … start time. */
const STAT = '_stat() { _state=$1 _group=$3; shift 19; _born=$1; }';

/**
 * Arguments: mark, folder (may be empty), `preamble` or `direct`, program, its arguments. With a preamble, standard
 * input starts with a line `<lines> <InputMode>`, and so many lines of assignments.
 *
 * Says, in the first line of standard error, `<mark> started <pid> <start time>`, or `folder`, `program` or `dd` after
 * the mark, if that is missing. With framed input, or if watched, it says `<mark> ended` when the program is over. What
 * comes of framed input after that is read and thrown away: Podman drops the output of a program that leaves some.
 */
const LAUNCH = `
_mark=$1 _folder=$2 _input=$3 _mode=plain
shift 3
_tell() { echo "$_mark $*" >&2; }
_feed() {
  _full=
  while read -r _size; do
    [ "$_size" -gt 0 ] || return 0
    if [ -z "$_full" ]; then dd bs="$_size" count=1 iflag=fullblock 2>/dev/null || _full=1
    else dd bs="$_size" count=1 iflag=fullblock >/dev/null 2>&1; fi
  done
  kill -s KILL -- "-$$" 2>/dev/null || kill -s KILL "$$"
}
${STAT}
if [ "$_input" = preamble ]; then
  read -r _lines _mode || exit 125
  _env=
  while [ "$_lines" -gt 0 ]; do
    IFS= read -r _line || exit 125
    _env="$_env$_line
" _lines=$((_lines - 1))
  done
  eval "$_env"
  unset _env _line _lines
fi
if [ -n "$_folder" ] && ! cd "$_folder" 2>/dev/null; then _tell folder; exit 126; fi
if ! command -v "$1" >/dev/null 2>&1; then _tell program; exit 127; fi
_born=0 _group=$$
if [ -r "/proc/$$/stat" ]; then read -r _line <"/proc/$$/stat"; _stat \${_line##*) }; fi
if [ "$_mode" = framed ]; then
  if ! echo x | dd bs=1 count=1 iflag=fullblock >/dev/null 2>&1; then _tell dd; exit 125; fi
elif [ "$_group" != "$$" ] && command -v setsid >/dev/null 2>&1; then
  set -- setsid "$@"
fi
_tell "started $$ $_born"
case $_mode in
framed) _feed | { (exec "$@"); _code=$?; _tell ended; exit $_code; }; exit $? ;;
watched) (exec "$@" </dev/null); _code=$?; _tell ended; exit $_code ;;
none) exec "$@" </dev/null ;;
esac
exec "$@"
`.trim();

/**
 * Arguments: the number and start time that the launcher told, and how many tenths of a second a program has to end by
 * itself. A group whose number belongs to somebody else by now is left alone. Fails if somebody could not be ended.
 */
const END = `
_id=$1 _was=$2 _patience=$3
exec 2>/dev/null
${STAT}
if [ -r "/proc/$_id/stat" ] && read -r _line <"/proc/$_id/stat"; then
  _stat \${_line##*) }
  [ "$_born" = "$_was" ] || exit 0
fi
_signal() { kill -s "$1" -- "-$_id" || kill -s "$1" "$_id"; }
_runs() {
  for _file in /proc/[0-9]*/stat; do
    read -r _line <"$_file" || continue
    _stat \${_line##*) }
    if [ "$_group" = "$_id" ] || [ "$_file" = "/proc/$_id/stat" ]; then
      case $_state in Z | X) ;; *) return 0 ;; esac
    fi
  done
  return 1
}
_wait() {
  while _runs; do
    [ "$_patience" -gt 0 ] || return 1
    _patience=$((_patience - 1))
    sleep 0.1 || sleep 1
  done
}
_runs || exit 0
_signal TERM
_wait && exit 0
_signal KILL
_patience=20
_wait
`.trim();

/** Arguments: as for {@link END}, without the last. Fails if the program itself does not run any more. */
const LOOK = `
_id=$1 _was=$2
exec 2>/dev/null
[ -d /proc/self ] || exit 0
${STAT}
read -r _line <"/proc/$_id/stat" || exit 1
_stat \${_line##*) }
[ "$_born" = "$_was" ] || exit 1
case $_state in Z | X) exit 1 ;; esac
`.trim();

/** A program inside of a container: its number there, and when it started, in the kernel's ticks. */
export interface Inhabitant {
  readonly pid: number;
  readonly born: string;
}

export interface Launch {
  /** A word that nobody else says. */
  readonly mark: string;
  readonly argv: readonly [string, ...string[]];
  readonly folder?: string;
  /** Whether {@link preamble} comes first on standard input. */
  readonly preamble: boolean;
}

export function launching({ mark, argv, folder = '', preamble }: Launch): readonly string[] {
  return ['sh', '-c', LAUNCH, 'respaldo', mark, folder, preamble ? 'preamble' : 'direct', ...argv];
}

/** @param grace milliseconds. */
export function ending({ pid, born }: Inhabitant, grace: number): readonly string[] {
  return ['sh', '-c', END, 'respaldo', String(pid), born, String(Math.ceil(grace / 100))];
}

export function looking({ pid, born }: Inhabitant): readonly string[] {
  return ['sh', '-c', LOOK, 'respaldo', String(pid), born];
}

/** The first words on a launcher's standard input: how to take the rest, and the program's variables. */
export function preamble(env: Readonly<Record<string, string>>, mode: InputMode): Uint8Array {
  const assignments = Object.entries(env).map(
    ([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'\n`,
  );
  const text = assignments.join('');
  return Buffer.from(`${text.split('\n').length - 1} ${mode}\n${text}`);
}
