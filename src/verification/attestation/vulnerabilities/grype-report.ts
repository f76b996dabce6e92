import type { JsonObject } from '../../../oci/strict-json.ts';
import { isJsonObject } from '../../../oci/strict-json.ts';
import { objectField, requiredObjects, textField } from '../../json-fields.ts';
import { parseSeverity } from './severity.ts';
import type { VulnerabilityFinding } from './vulnerabilities-view.ts';

export const isGrypeReport = ({ matches, descriptor }: JsonObject): boolean =>
  matches !== undefined && isJsonObject(descriptor) && descriptor['name'] === 'grype';

/** Grype's JSON (anchore/grype, grype/presenter/models/document.go). What its own rules ignore is not among the matches. */
export function* readGrypeReport(report: JsonObject): Generator<VulnerabilityFinding> {
  for (const match of requiredObjects(report, 'matches')) {
    const vulnerability = objectField(match, 'vulnerability');
    const artifact = objectField(match, 'artifact');
    yield {
      id: textField(vulnerability, 'id'),
      severity: parseSeverity(textField(vulnerability, 'severity')),
      package: textField(artifact, 'name'),
      version: textField(artifact, 'version'),
      fixedVersion: fixedVersion(objectField(vulnerability, 'fix')),
    };
  }
}

function fixedVersion({ versions }: JsonObject): string {
  return Array.isArray(versions) ? versions.filter((version) => typeof version === 'string').join(', ') : '';
}
