import { RefwardenError } from '../../../failures/failure.ts';
import { excerpt } from '../../excerpt.ts';

/** The worst first. */
const severities = ['critical', 'high', 'medium', 'low', 'negligible', 'unknown'] as const;
export type Severity = (typeof severities)[number];

/** What scanners write, in any case. */
const names: ReadonlyMap<string, Severity> = new Map([
  ...severities.map((severity) => [severity, severity] as const),
  ['important', 'high'],
  ['moderate', 'medium'],
  ['none', 'negligible'],
  ['informational', 'negligible'],
  ['', 'unknown'],
]);
const scorePattern = /^(?:10(?:\.0+)?|[0-9](?:\.[0-9]+)?)$/;

/** @throws RefwardenError `PayloadInvalid`: a severity that is not known must not pass for a harmless one. */
export function parseSeverity(text: string): Severity {
  return findSeverity(text) ?? refuse(text);
}

/** The worst of several ratings, as far as they can be told; methods that write vectors are passed over. */
export function worstSeverity(texts: readonly string[]): Severity {
  const found = new Set(texts.flatMap((text) => findSeverity(text) ?? []));
  const worst = severities.find((severity) => found.has(severity));
  return worst ?? (texts.length === 0 ? 'unknown' : refuse(texts.join(', ')));
}

/** By name, or by a CVSS score (CVSS 3.1, "Qualitative Severity Rating Scale"); scanners write 0 for unknown. */
function findSeverity(text: string): Severity | undefined {
  const score = scorePattern.test(text) ? Number(text) : undefined;
  if (score === undefined) return names.get(text.toLowerCase());
  if (score >= 9) return 'critical';
  if (score >= 7) return 'high';
  if (score >= 4) return 'medium';
  return score > 0 ? 'low' : 'unknown';
}

function refuse(text: string): never {
  throw new RefwardenError(
    'PayloadInvalid',
    `The report has a severity "${excerpt(text)}", which is not known.`,
  );
}
