import { stringify } from 'yaml';

/** An object for `kubectl apply`, as one YAML document that starts with `---`. */
export function renderManifest(object: object): string {
  return `---\n${stringify(object, { lineWidth: 110, aliasDuplicateObjects: false })}`;
}
