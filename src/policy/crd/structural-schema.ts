import { z } from 'zod';

type JsonSchema = Record<string, unknown>;

/**
 * Turns a zod schema into a structural schema of apiextensions.k8s.io/v1: every field typed, no
 * `additionalProperties: false` beside properties (the API server prunes instead), no `$schema`.
 */
export function structuralSchema(schema: z.ZodType): JsonSchema {
  const json = z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', unrepresentable: 'throw' });
  return structural(json);
}

/** Keywords that a structural schema takes as they are. */
const kept = new Set([
  'type',
  'description',
  'format',
  'enum',
  'default',
  'nullable',
  'required',
  'pattern',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
]);

function structural(schema: JsonSchema): JsonSchema {
  const result: JsonSchema = {};
  for (const [key, value] of Object.entries(schema)) {
    if (kept.has(key) || key.startsWith('x-kubernetes-')) result[key] = value;
    else if (key === 'properties') result[key] = mapValues(value as Record<string, JsonSchema>, structural);
    else if (key === 'items') result[key] = structural(value as JsonSchema);
    else if (key === 'additionalProperties' && typeof value === 'object')
      result[key] = structural(value as JsonSchema);
    // zod writes the bounds of an unbounded integer: they say nothing to a reader.
    else if ((key === 'minimum' || key === 'maximum') && !isUnbounded(value)) result[key] = value;
    else if (key === 'allOf') Object.assign(result, ...(value as JsonSchema[]).map(structural));
    else if (!ignored.has(key)) throw new Error(`no structural form of the schema keyword ${key}`);
  }
  if (result['enum'] !== undefined && result['type'] === undefined)
    result['type'] = typeof (result['enum'] as unknown[])[0];
  return result;
}

const ignored = new Set(['$schema', 'additionalProperties', 'minimum', 'maximum', 'propertyNames']);
const isUnbounded = (bound: unknown): boolean => Math.abs(Number(bound)) >= Number.MAX_SAFE_INTEGER;

function mapValues<T, U>(record: Record<string, T>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
