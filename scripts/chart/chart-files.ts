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
}

/** Path below the chart -> content. */
export function chartFiles(): Map<string, string> {
  const schema = z.toJSONSchema(chartValues, { target: 'draft-7', io: 'input' });
  return new Map([
    ['values.schema.json', `${JSON.stringify(schema, undefined, 2)}\n`],
    [
      'values.yaml',
      `# Made from scripts/chart/chart-values.ts by npm run generate.\n${valuesOf(schema as Schema, '')}`,
    ],
  ]);
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
  const schema = z.toJSONSchema(chartValues, { target: 'draft-7', io: 'input' }) as Schema;
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
