/** What is wrong with archives and encryptions that a schema cannot see. Reads the file as it was written. */
import { COMPRESSIONS } from '../domain/archive.ts';
import { templateComplaint } from '../domain/archive-name.ts';
import { USUAL_TEMPLATE } from './archives.ts';
import { isWritten, mapping, misnamed, splittable } from './written.ts';
import { didYouMean } from './suggest.ts';
import type { Complaint } from './wording.ts';

export function* archiveComplaints(content: unknown): Generator<Complaint> {
  const root = mapping(content);
  const archives = Object.entries(mapping(root.archives));
  const encryptions = Object.entries(mapping(root.encryptions));
  const known = encryptions.map(([name]) => name);
  yield* misnamed(
    archives.map(([name]) => name),
    'archives',
  );
  yield* misnamed(known, 'encryptions');
  for (const [name, encryption] of encryptions) {
    for (const [tool, how] of Object.entries(mapping(encryption))) {
      for (const key of ['passphrase', 'identity'])
        yield* splittable(mapping(how)[key], ['encryptions', name, tool, key]);
    }
  }
  for (const [name, archive] of archives) {
    const { credentials, encryption } = mapping(archive);
    for (const [key, secret] of Object.entries(mapping(credentials)))
      yield* splittable(secret, ['archives', name, 'credentials', key]);
    yield* missing(encryption, known, 'encryption', ['archives', name, 'encryption']);
    yield* misshapen(name, mapping(archive), mapping(root.encryptions));
  }
  const names = archives.map(([name]) => name);
  for (const [name, plan] of Object.entries(mapping(root.plans))) {
    const wanted = mapping(plan).archives;
    const path = ['plans', name, 'archives'];
    if (!Array.isArray(wanted)) yield* missing(wanted, names, 'archive', path);
    else for (const [at, one] of wanted.entries()) yield* missing(one, names, 'archive', [...path, at]);
  }
}

/** A template that cannot be used with the archive's steps. */
function* misshapen(
  name: string,
  { name: template = USUAL_TEMPLATE, compression = 'gzip', encryption }: Readonly<Record<string, unknown>>,
  encryptions: Readonly<Record<string, unknown>>,
): Generator<Complaint> {
  const known = COMPRESSIONS.find((one) => one === compression);
  const isUnknown = encryption !== undefined && !(isWritten(encryption) && encryption in encryptions);
  if (!isWritten(template) || known === undefined || isUnknown) return;
  const tools = mapping(isWritten(encryption) ? encryptions[encryption] : undefined);
  const complaint = templateComplaint(
    template,
    known,
    (['gpg', 'age'] as const).find((tool) => tool in tools),
  );
  if (complaint !== undefined) yield { path: ['archives', name, 'name'], part: 'value', message: complaint };
}

function* missing(
  name: unknown,
  names: readonly string[],
  what: 'archive' | 'encryption',
  path: Complaint['path'],
): Generator<Complaint> {
  if (!isWritten(name) || names.includes(name)) return;
  const there = names.length === 0 ? `; none is defined under ${what}s` : didYouMean(name, names);
  yield { path, part: 'value', message: `there is no ${what} ${name}${there}` };
}
