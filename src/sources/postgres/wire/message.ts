/** The messages of PostgreSQL's protocol 3.0 that a base backup meets, by their type byte. */
export const MESSAGE = {
  commandComplete: 0x43, // C
  copyData: 0x64, // d
  copyDone: 0x63, // c
  copyOutResponse: 0x48, // H
  dataRow: 0x44, // D
  error: 0x45, // E
  notice: 0x4e, // N
  parameterStatus: 0x53, // S
  readyForQuery: 0x5a, // Z
  rowDescription: 0x54, // T
} as const;

/** A simple query, as bytes. */
export function queryMessage(sql: string): Buffer {
  const text = Buffer.from(`${sql}\0`);
  const message = Buffer.allocUnsafe(5 + text.length);
  message.writeUInt8(0x51, 0);
  message.writeUInt32BE(4 + text.length, 1);
  text.copy(message, 5);
  return message;
}

/** Column names of a RowDescription. */
export function columnNames(body: Buffer): string[] {
  const names: string[] = [];
  let at = 2;
  for (let left = body.readUInt16BE(0); left > 0; left--) {
    const end = body.indexOf(0, at);
    names.push(body.toString('utf8', at, end));
    at = end + 1 + 18; // table, column, type, size, modifier, format
  }
  return names;
}

/** Values of a DataRow in text format. */
export function columnValues(body: Buffer): (string | null)[] {
  const values: (string | null)[] = [];
  let at = 2;
  for (let left = body.readUInt16BE(0); left > 0; left--) {
    const length = body.readInt32BE(at);
    at += 4;
    values.push(length < 0 ? null : body.toString('utf8', at, at + length));
    at += Math.max(length, 0);
  }
  return values;
}

/** An ErrorResponse or NoticeResponse. */
export interface ServerMessage {
  readonly severity: string;
  /** SQLSTATE: the same in every language. */
  readonly code: string;
  /** In the server's language. */
  readonly message: string;
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  /** The function of the server that raised it. */
  readonly routine: string;
}

export function parseServerMessage(body: Buffer): ServerMessage {
  const fields = new Map<string, string>();
  for (let at = 0; at < body.length && body[at] !== 0;) {
    const end = body.indexOf(0, at);
    const stop = end < 0 ? body.length : end;
    fields.set(String.fromCharCode(body[at] ?? 0), body.toString('utf8', at + 1, stop));
    at = stop + 1;
  }
  return {
    severity: fields.get('V') ?? fields.get('S') ?? 'ERROR',
    code: fields.get('C') ?? '',
    message: fields.get('M') ?? '',
    detail: fields.get('D'),
    hint: fields.get('H'),
    routine: fields.get('R') ?? '',
  };
}
