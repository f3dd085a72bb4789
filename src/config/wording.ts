import type { z } from 'zod';
import type { Path } from './place.ts';
import { configJsonSchema, type JsonSchema } from './schema.ts';
import { didYouMean } from './suggest.ts';

/** A finding of the schema, still to be placed in the file. */
export interface Complaint {
  readonly path: Path;
  readonly part: 'key' | 'value';
  readonly message: string;
}

const MISSING = 'is missing';

/** What the schema finds wrong, in words: one complaint for each place. */
export function complaintsOf(error: z.ZodError): readonly Complaint[] {
  const schema = configJsonSchema();
  return error.issues.flatMap((issue) => explain(issue, [], schema));
}

/** How zod words what it finds where the schema itself says nothing. Values are not shown: they may be secrets. */
export const wording: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? `${MISSING}: ${nounOf(issue.expected)} is expected here`
        : `must be ${nounOf(issue.expected)}, not ${kindOf(issue.input)}${quoteAdvice(issue.expected, issue.input)}`;
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}${meant(issue.input, issue.values)}`;
    default:
      return undefined;
  }
};

type Issue = z.core.$ZodIssue;

function explain(issue: Issue, above: Path, schema: JsonSchema): readonly Complaint[] {
  const path = [...above, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: [...path, key],
        part: 'key',
        message: `unknown key${didYouMean(key, keysAt(path, schema))}`,
      }));
    case 'invalid_union':
      return explainUnion(issue, path, schema);
    case 'invalid_key':
      return [{ path, part: 'key', message: issue.issues[0]?.message ?? issue.message }];
    default:
      return [{ path, part: issue.message.startsWith(MISSING) ? 'key' : 'value', message: issue.message }];
  }
}

/**
 * Of a choice of shapes, speaks of the one that was meant: the one that what is written has the outer form of. Where
 * there is none, lists the forms.
 */
function explainUnion(issue: z.core.$ZodIssueInvalidUnion, path: Path, schema: JsonSchema): readonly Complaint[] {
  const meantShapes = issue.errors.filter((branch) => !branch.some(isOuterMismatch));
  const [nearest] = meantShapes.toSorted((a, b) => a.length - b.length);
  if (nearest) return nearest.flatMap((inner) => explain(inner, path, schema));
  const outer = issue.errors.flat();
  const forms = [...new Set(outer.flatMap(formsOf))].join(' or ');
  const missing = outer.some(({ message }) => message.startsWith(MISSING));
  return [
    missing
      ? { path, part: 'key', message: `${MISSING}: ${forms} is expected here` }
      : { path, part: 'value', message: `must be ${forms}` },
  ];
}

function formsOf(issue: Issue): readonly string[] {
  if (issue.code === 'invalid_type') return [nounOf(issue.expected)];
  return issue.code === 'invalid_value' ? issue.values.map(String) : [];
}

function isOuterMismatch(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value');
}

/** The keys that the schema knows below `path`, whichever of its shapes is meant. */
function keysAt(path: Path, schema: JsonSchema): readonly string[] {
  let shapes = shapesOf(schema);
  for (const step of path) {
    shapes = shapes.flatMap((shape) => {
      const child = typeof step === 'number' ? shape.items : (shape.properties?.[step] ?? shape.additionalProperties);
      return typeof child === 'object' ? shapesOf(child) : [];
    });
  }
  return shapes.flatMap((shape) => Object.keys(shape.properties ?? {}));
}

function shapesOf(schema: JsonSchema): readonly JsonSchema[] {
  return schema.anyOf ? schema.anyOf.flatMap(shapesOf) : [schema];
}

function nounOf(expected: string): string {
  switch (expected) {
    case 'string':
      return 'text';
    case 'array':
      return 'a list';
    case 'object':
    case 'record':
      return 'a mapping (key: value)';
    case 'boolean':
      return 'true or false';
    case 'int':
    case 'number':
      return 'a whole number';
    default:
      return `a ${expected}`;
  }
}

function kindOf(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value === 'string') return 'text';
  return typeof value === 'boolean' ? 'true or false' : `a ${typeof value}`;
}

function quoteAdvice(expected: string, value: unknown): string {
  const scalar = typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint';
  return expected === 'string' && scalar ? ': put it between quotes' : '';
}

function meant(input: unknown, values: readonly unknown[]): string {
  return typeof input === 'string' ? didYouMean(input, values.map(String)) : '';
}
