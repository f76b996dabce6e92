import { stringify } from 'yaml';
import { z } from 'zod';
import { chartValues } from './chart-values.ts';

/** JSON Schema, as far as it is read here. */
interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

/** Path below the chart -> content. */
export function chartFiles(): Map<string, string> {
  const schema = chartSchema();
  return new Map([
    ['values.schema.json', `${JSON.stringify(schema, undefined, 2)}\n`],
    [
      'values.yaml',
      `# Made from scripts/chart/chart-values.ts by npm run generate.\n${valuesOf(schema, '')}`,
    ],
  ]);
}

const chartSchema = (): Schema =>
  withRequired(z.toJSONSchema(chartValues, { target: 'draft-7', io: 'input' }) as Schema, '');

/** What has no meaning without a value. The rest may be null, which takes it out of values.yaml. */
const requiredValues = new Set([
  'image.repository',
  'certificates.mode',
  'pullSecrets.mode',
  'cache.sizeLimit',
  'ports.webhook',
  'ports.operations',
]);

/** Groups, and the values that templates cannot do without, are there: values.yaml has them. */
function withRequired(schema: Schema, path: string): Schema {
  const { properties = {} } = schema;
  const fields = Object.entries(properties).map(([name, field]): [string, Schema] => [
    name,
    isGroup(field) ? withRequired(field, `${path}${name}.`) : field,
  ]);
  const required = fields
    .filter(([name, field]) => isGroup(field) || requiredValues.has(path + name))
    .map(([name]) => name);
  return {
    ...schema,
    properties: Object.fromEntries(fields),
    ...(required.length === 0 ? {} : { required }),
  };
}

/** `values.yaml`, each value under what it means. */
function valuesOf({ properties = {} }: Schema, indent: string): string {
  return shown(properties)
    .map(([name, field]) => {
      if (isGroup(field)) return `${indent}${name}:\n${valuesOf(field, `${indent}  `)}`;
      const comment = `${indent}# ${meaning(field)}\n`;
      const value = stringify({ [name]: field.default }, { lineWidth: 0 });
      return comment + value.replace(/^(?=.)/gm, indent);
    })
    .join('');
}

/** The table of values, a row each. */
export function valuesTable(): string {
  const schema = chartSchema();
  return ['| value | default | meaning |', '|---|---|---|', ...rows(schema, '')].join('\n');
}

function rows({ properties = {} }: Schema, path: string): string[] {
  return shown(properties).flatMap(([name, field]) =>
    isGroup(field)
      ? rows(field, `${path}${name}.`)
      : [
          `| \`${path}${name}\` | \`${JSON.stringify(field.default)}\` | ${meaning(field).replaceAll('|', '\\|')} |`,
        ],
  );
}

const shown = (properties: NonNullable<Schema['properties']>): [string, Schema][] =>
  Object.entries(properties).filter(([name]) => name !== 'global');

/** A group has no meaning of its own: its fields do. */
const isGroup = (field: Schema): boolean => field.properties !== undefined && field.description === undefined;

const meaning = ({ description = '', enum: answers }: Schema): string =>
  answers === undefined ? description : `${description} ${answers.join(' | ')}`;
