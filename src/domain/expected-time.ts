/** How long something will take, as far as what was done before tells. Pure. */

export interface EarlierWork {
  readonly bytes: number;
  readonly milliseconds: number;
}

/** As many of the most alike tell; of these the one in the middle, so that a single odd one does not count. */
const TELLING = 5;
/** Work of another size tells little: small work is mostly beginning and ending. */
const ALIKE = 30;

/** Milliseconds; undefined where nothing alike was ever done. */
export function expectedTime(bytes: number, earlier: readonly EarlierWork[]): number | undefined {
  const distance = (work: EarlierWork): number => Math.abs(Math.log(work.bytes / bytes));
  const alike = earlier
    .filter((work) => bytes > 0 && work.bytes > 0 && distance(work) <= Math.log(ALIKE))
    .toSorted((a, b) => distance(a) - distance(b))
    .slice(0, TELLING);
  const paces = alike.map((work) => work.milliseconds / work.bytes).toSorted((a, b) => a - b);
  const pace = paces[Math.floor(paces.length / 2)];
  return pace === undefined ? undefined : pace * bytes;
}
