import { RefwardenError } from '../../../failures/failure.ts';
import type { JsonObject } from '../../../oci/strict-json.ts';
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
  const runs = requiredObjects(report, 'runs');
  if (runs.length === 0) throw refused('is of no scan (runs)');
  for (const run of runs) {
    if (objectsField(run, 'invocations').some((call) => call['executionSuccessful'] === false)) {
      throw refused('is of a scan that failed');
    }
    if (objectsField(objectField(run, 'externalPropertyFileReferences'), 'results').length > 0) {
      throw refused('keeps its results in another file (externalPropertyFileReferences)');
    }
    const rules = new Rules(run);
    for (const result of requiredObjects(run, 'results')) {
      const { id, severity } = rules.of(result);
      yield { id, severity, package: '', version: '', fixedVersion: '' };
    }
  }
}

interface RatedRule {
  readonly id: string;
  readonly severity: Severity;
}

/** Rules of the scanner and of its extensions (SARIF 2.1.0, 3.52 and 3.54). */
class Rules {
  readonly #ofDriver: readonly RatedRule[];
  readonly #ofExtensions: readonly (readonly RatedRule[])[];

  constructor(run: JsonObject) {
    const tool = objectField(run, 'tool');
    this.#ofDriver = ratedRules(objectField(tool, 'driver'));
    this.#ofExtensions = objectsField(tool, 'extensions').map(ratedRules);
  }

  /** One that is found nowhere is of unknown severity. @throws RefwardenError where two ways to name it disagree. */
  of(result: JsonObject): RatedRule {
    const reference = objectField(result, 'rule');
    const id = textField(result, 'ruleId') || textField(reference, 'id');
    const rules = this.#component(objectField(reference, 'toolComponent'));
    const index = result['ruleIndex'] ?? reference['index'] ?? -1;
    if (typeof index !== 'number') throw refused('has a ruleIndex that is no number');
    const named = rules.find((rule) => rule.id !== '' && isOf(id, rule));
    if (index === -1) return named ?? { id, severity: 'unknown' };
    const rule = rules[index];
    if (rule === undefined) throw refused('names a rule by an index that it does not have');
    if (id !== '' && !isOf(id, rule)) throw refused('names a rule by an index and by the id of another');
    return { id: id || rule.id, severity: rule.severity };
  }

  #component(component: JsonObject): readonly RatedRule[] {
    const { index } = component;
    if (Object.keys(component).length === 0 || index === -1) return this.#ofDriver;
    const rules = typeof index === 'number' ? this.#ofExtensions[index] : undefined;
    if (rules === undefined) throw refused('names a rule of a part of the scanner that it does not have');
    return rules;
  }
}

/** 3.27.5: an id may go on after a slash, as `CA1000/1`. */
const isOf = (id: string, rule: RatedRule): boolean => id === rule.id || id.startsWith(`${rule.id}/`);

const ratedRules = (component: JsonObject): RatedRule[] =>
  objectsField(component, 'rules').map((rule) => ({ id: textField(rule, 'id'), severity: severityOf(rule) }));

function severityOf(rule: JsonObject): Severity {
  const score = objectField(rule, 'properties')['security-severity'] ?? '';
  return parseSeverity(typeof score === 'number' ? String(score) : textField({ score }, 'score'));
}

const refused = (what: string): RefwardenError => new RefwardenError('PayloadInvalid', `The report ${what}.`);
