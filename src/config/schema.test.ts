import { expect, it } from 'vitest';
import { configJsonSchema, type JsonSchema } from './schema.ts';

function childrenOf({ properties = {}, items, anyOf = [], additionalProperties }: JsonSchema): readonly JsonSchema[] {
  const values = typeof additionalProperties === 'object' ? [additionalProperties] : [];
  return [...Object.values(properties), ...values, ...(items ? [items] : []), ...anyOf];
}

function* everySchema(schema: JsonSchema): Generator<JsonSchema> {
  yield schema;
  for (const child of childrenOf(schema)) yield* everySchema(child);
}

it('explains every key to an editor, and lets it refuse unknown ones', () => {
  for (const schema of everySchema(configJsonSchema())) {
    if (schema.properties) expect(schema.additionalProperties).toBe(false);
    for (const [key, property] of Object.entries(schema.properties ?? {})) {
      expect(property['description'] ?? property['title'], key).toMatch(/\S/);
    }
  }
});

it('asks of an editor what it asks of the file: a plan needs a source, a secret exactly one origin', () => {
  const schema = configJsonSchema();
  const plan = schema.properties?.['plans']?.additionalProperties as JsonSchema;
  const repository = schema.properties?.['repositories']?.additionalProperties as JsonSchema;
  expect(plan['required']).toEqual(['source']);
  expect(repository['required']).toEqual(['url']);
  expect(repository.properties?.['password']).toMatchObject({ minProperties: 1, maxProperties: 1 });
});

it('is draft 7, stands alone and needs nothing from elsewhere', () => {
  const text = JSON.stringify(configJsonSchema());
  expect(JSON.parse(text)).toMatchObject({ $schema: 'http://json-schema.org/draft-07/schema#', type: 'object' });
  expect(text).not.toContain('$ref');
});
