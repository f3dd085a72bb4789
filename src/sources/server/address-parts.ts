/** What the addresses of servers are made of. Whoever reads one says how what is wrong with it is told. Pure. */
import type { RespaldoError } from '../../errors.ts';

/** Names the address, and what it should look like where no hint is given. */
export type Refusal = (what: string, hint?: string) => RespaldoError;

/** Percent-decodes. @throws what `refusal` makes of a malformed encoding */
export function decoder(refusal: Refusal): (text: string) => string {
  return (text) => {
    try {
      return decodeURIComponent(text);
    } catch {
      throw refusal('it holds a malformed percent-encoding');
    }
  };
}

/** The parameters of a query in their order, decoded; one may come several times. @throws for one that is not known */
export function parseParameters<Parameter extends string>(
  query: string,
  known: readonly Parameter[],
  refusal: Refusal,
): readonly (readonly [name: Parameter, value: string])[] {
  const decode = decoder(refusal);
  const pairs = query.split('&').filter((pair) => pair !== '');
  return pairs.map((pair) => {
    const [given = '', value = ''] = pair.split(/=(.*)/s, 2).map(decode);
    const name = known.find((parameter) => parameter === given);
    if (name === undefined) throw refusal(`the parameter "${given}" is not known`, `Known are: ${known.join(', ')}.`);
    return [name, value] as const;
  });
}

export function parsePort(text: string, refusal: Refusal): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw refusal(`"${text}" is not a port`);
  return port;
}

export function parseSslMode<Mode extends string>(text: string, known: readonly Mode[], refusal: Refusal): Mode {
  const mode = known.find((one) => one === text);
  if (mode === undefined) throw refusal(`sslmode "${text}" is not known`, `It is one of ${known.join(', ')}.`);
  return mode;
}

/** To be spread: nothing where the value is missing or empty. */
export function optional<Name extends string>(name: Name, value: string | undefined): Partial<Record<Name, string>> {
  return value === undefined || value === '' ? {} : ({ [name]: value } as Record<Name, string>);
}
