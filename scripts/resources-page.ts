import type { CustomResourceDefinition } from '../src/policy/crd/custom-resource-definitions.ts';

interface Schema {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  required?: string[];
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema;
  maxItems?: number;
  maxLength?: number;
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-validations'?: { message: string }[];
}

interface Version {
  name: string;
  schema: { openAPIV3Schema: Schema };
}

export function resourcesPage(definitions: readonly CustomResourceDefinition[]): string {
  return `# Custom resources

Made from \`src/policy/model/\` by \`npm run generate\`.

${definitions.map(section).join('\n')}`;
}

function section({ spec }: CustomResourceDefinition): string {
  const { names, scope, versions } = spec as { names: { kind: string }; scope: string; versions: Version[] };
  const schema = versions[0]?.schema.openAPIV3Schema ?? {};
  const fields = rows(schema.properties?.['spec'] ?? {}, 'spec');
  const rules = [...collectRules(schema.properties?.['spec'] ?? {}, 'spec')];
  return `## ${names.kind}

${schema.description ?? ''} Scope: ${scope.toLowerCase()}.

| field | type | default | meaning |
|---|---|---|---|
${fields.join('\n')}

Rules:

${rules.map(({ path, message }) => `- \`${path}\`: ${message}`).join('\n')}
`;
}

function rows(schema: Schema, path: string): string[] {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const here = `${path}.${name}`;
    const inner = field.items ?? field;
    const fallback =
      field.default === undefined
        ? required.has(name)
          ? 'required'
          : ''
        : `\`${JSON.stringify(field.default)}\``;
    const own = `| \`${here}\` | ${typeName(field)} | ${fallback} | ${field.description ?? ''} |`;
    return [own, ...rows(inner, field.items === undefined ? here : `${here}[]`)];
  });
}

function typeName(field: Schema): string {
  if (field.items !== undefined)
    return [
      `list of ${typeName(field.items)}`,
      ...(field.maxItems === undefined ? [] : [`at most ${field.maxItems}`]),
      ...(field['x-kubernetes-list-type'] === 'set' ? ['each once'] : []),
      ...(field['x-kubernetes-list-map-keys'] ?? []).map((key) => `each ${key} once`),
    ].join(', ');
  if (field.enum !== undefined) return field.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (field.additionalProperties !== undefined) return `map to ${typeName(field.additionalProperties)}`;
  return field.type ?? '';
}

function* collectRules(schema: Schema, path: string): Generator<{ path: string; message: string }> {
  for (const { message } of schema['x-kubernetes-validations'] ?? []) yield { path, message };
  for (const [name, field] of Object.entries(schema.properties ?? {}))
    yield* collectRules(field, `${path}.${name}`);
  if (schema.items !== undefined) yield* collectRules(schema.items, `${path}[]`);
}
