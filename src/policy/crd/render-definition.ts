import { stringify } from 'yaml';
import type { CustomResourceDefinition } from './custom-resource-definitions.ts';

/** One YAML document, starting with `---`. */
export function renderDefinition(definition: CustomResourceDefinition): string {
  return `---\n${stringify(definition, { lineWidth: 110, aliasDuplicateObjects: false })}`;
}
