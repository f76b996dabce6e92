import { RefwardenError } from '../../../failures/failure.ts';
import type { JsonObject } from '../../../oci/strict-json.ts';
import { objectsField, requiredObjects, textField } from '../../json-fields.ts';
import { parseSeverity } from './severity.ts';
import type { VulnerabilityFinding } from './vulnerabilities-view.ts';

/** Classes of results that packages were looked up for. */
const packageClasses: ReadonlySet<string> = new Set(['os-pkgs', 'lang-pkgs']);

/** By the version of its schema, which every report since Trivy 0.20 has. */
export const isTrivyReport = ({ SchemaVersion, ArtifactName }: JsonObject): boolean =>
  SchemaVersion === 2 && typeof ArtifactName === 'string';

/**
 * Trivy's JSON (aquasecurity/trivy, pkg/types/report.go). A result without findings has no `Vulnerabilities`; so does one
 * of a scan that did not look for any, hence the demand for packages.
 */
export function* readTrivyReport(report: JsonObject): Generator<VulnerabilityFinding> {
  const results = requiredObjects(report, 'Results');
  if (!results.some((result) => packageClasses.has(textField(result, 'Class')))) {
    throw new RefwardenError('PayloadInvalid', 'The report shows no packages that were looked at.');
  }
  for (const result of results) {
    for (const finding of objectsField(result, 'Vulnerabilities')) {
      yield {
        id: textField(finding, 'VulnerabilityID'),
        severity: parseSeverity(textField(finding, 'Severity')),
        package: textField(finding, 'PkgName'),
        version: textField(finding, 'InstalledVersion'),
        fixedVersion: textField(finding, 'FixedVersion'),
      };
    }
  }
}
