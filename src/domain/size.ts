const UNITS = 'BKMGT';

/** Bytes, of `500`, `500b`, `10k`, `5M`, `2G`, `1T` (binary units, as restic has them); undefined for anything else. */
export function parseSize(text: string): number | undefined {
  const [, digits = '', unit = 'B'] = /^(\d+)([bkmgt])?$/i.exec(text) ?? [];
  if (digits === '') return undefined;
  const bytes = Number(digits) * 1024 ** UNITS.indexOf(unit.toUpperCase());
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
