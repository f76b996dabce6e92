import { describe, expect, it } from 'vitest';
import { customResourceDefinitions } from '../../../src/policy/crd/custom-resource-definitions.ts';

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
}
interface Version {
  readonly schema: { readonly openAPIV3Schema: Schema };
  readonly additionalPrinterColumns: readonly { name: string; type: string; jsonPath: string }[];
}

const versions = customResourceDefinitions().map(({ metadata, spec }): [string, Version] => {
  const [version] = spec['versions'] as Version[];
  if (version === undefined) throw new Error(`${metadata.name} has no version`);
  return [metadata.name, version];
});

/** Every field below a schema, by path. */
function* fieldsOf(schema: Schema, path: string): Generator<[string, Schema]> {
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    yield [`${path}.${name}`, field];
    yield* fieldsOf(field, `${path}.${name}`);
  }
  if (schema.items !== undefined) yield* fieldsOf(schema.items, `${path}[]`);
}

describe('customResourceDefinitions', () => {
  it.each(versions)('%s shows whether it is ready, and no time to come as an age', (_, version) => {
    const columns = version.additionalPrinterColumns;
    expect(columns.map(({ name }) => name)).toEqual(expect.arrayContaining(['Ready', 'Reason', 'Age']));
    const dates = columns.filter(({ type }) => type === 'date').map(({ jsonPath }) => jsonPath);
    expect(dates).toEqual(['.metadata.creationTimestamp']);
  });

  it.each(versions)('%s describes every field but metadata, for kubectl explain', (_, { schema }) => {
    const bare = [...fieldsOf(schema.openAPIV3Schema, '')].filter(
      ([, { description = '' }]) => description === '',
    );
    expect(bare.map(([path]) => path)).toEqual(['.metadata']);
  });
});
