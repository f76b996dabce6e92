import { isJsonObject } from '../../../oci/strict-json.ts';
import type { Json, JsonObject } from '../../../oci/strict-json.ts';
import { objectField, objectsField, textField } from '../../json-fields.ts';
import { worstSeverity } from './severity.ts';
import type { Severity } from './severity.ts';
import type { VulnerabilityFinding } from './vulnerabilities-view.ts';

/** The findings of in-toto's own predicate (in-toto attestation predicates, vuln.md and vulns_02.md). */
export function* readInTotoFindings(result: readonly JsonObject[]): Generator<VulnerabilityFinding> {
  for (const entry of result) {
    // The text of v0.1 has it one level deeper than its example.
    const finding = entry['vulnerability'] === undefined ? entry : objectField(entry, 'vulnerability');
    yield {
      id: textField(finding, 'id'),
      severity: severityOf(finding),
      package: '',
      version: '',
      fixedVersion: '',
    };
  }
}

/** By several methods; the text of v0.1 calls it an object. */
function severityOf({ severity }: JsonObject): Severity {
  const ratings = isJsonObject(severity) ? [severity] : objectsField({ severity }, 'severity');
  return worstSeverity(ratings.map(({ score }) => scoreOf(score)));
}

const scoreOf = (score: Json | undefined): string =>
  typeof score === 'number' ? String(score) : textField({ score }, 'score');
