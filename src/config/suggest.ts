import { closestMatch } from 'leven';

/** The candidate that was probably meant, or undefined if none is near. Case does not count. */
export function nearName(name: string, candidates: Iterable<string>): string | undefined {
  const bySpelling = new Map(Array.from(candidates, (candidate) => [candidate.toLowerCase(), candidate]));
  const maxDistance = Math.max(1, Math.min(3, Math.floor(name.length / 2)));
  const match = closestMatch(name.toLowerCase(), [...bySpelling.keys()], { maxDistance });
  return match === undefined ? undefined : bySpelling.get(match);
}

/** `, did you mean main?`, or nothing. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const near = nearName(name, candidates);
  return near === undefined ? '' : `, did you mean ${near}?`;
}
