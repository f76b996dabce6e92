import { RefwardenError } from '../../../failures/failure.ts';
import type { Json, JsonObject } from '../../../oci/strict-json.ts';
import { objectField, objectsField, requiredObjects, textField } from '../../json-fields.ts';
import { parseSeverity } from './severity.ts';
import type { Severity } from './severity.ts';
import type { VulnerabilityFinding } from './vulnerabilities-view.ts';

export const isSarifReport = ({ version, runs }: JsonObject): boolean =>
  version === '2.1.0' && runs !== undefined;

/**
 * SARIF 2.1.0. Every result counts, suppressed ones too; its severity is that of its rule, as scanners write it for GitHub:
 * a score in `properties["security-severity"]`. SARIF has no place for packages.
 */
export function* readSarifReport(report: JsonObject): Generator<VulnerabilityFinding> {
  for (const run of requiredObjects(report, 'runs')) {
    if (objectsField(run, 'invocations').some((call) => call['executionSuccessful'] === false)) {
      throw new RefwardenError('PayloadInvalid', 'The report is of a scan that failed.');
    }
    const rules = objectsField(objectField(objectField(run, 'tool'), 'driver'), 'rules');
    const bySeverity = rules.map(ruleSeverity);
    const byId = new Map(rules.map((rule, index) => [textField(rule, 'id'), index]));
    for (const result of requiredObjects(run, 'results')) {
      const id = textField(result, 'ruleId');
      const index = byId.get(id) ?? result['ruleIndex'];
      const severity = (typeof index === 'number' ? bySeverity[index] : undefined) ?? 'unknown';
      yield { id: id || ruleId(rules, index), severity, package: '', version: '', fixedVersion: '' };
    }
  }
}

function ruleSeverity(rule: JsonObject): Severity {
  const score = objectField(rule, 'properties')['security-severity'] ?? '';
  return parseSeverity(typeof score === 'number' ? String(score) : textField({ score }, 'score'));
}

function ruleId(rules: readonly JsonObject[], index: Json | undefined): string {
  const rule = typeof index === 'number' ? rules[index] : undefined;
  return rule === undefined ? '' : textField(rule, 'id');
}
