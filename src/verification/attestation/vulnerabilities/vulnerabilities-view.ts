import type { Severity } from './severity.ts';

/** What expressions see of a vulnerability report; each severity is the count of its findings. */
export interface VulnerabilitiesView extends Readonly<Record<Severity, number>> {
  /** As the report names it: `pkg:github/aquasecurity/trivy@0.69.1`. */
  readonly scanner: string;
  readonly scannerVersion: string;
  /** When the scan ended, as text. */
  readonly scannedAt: string;
  readonly findings: readonly VulnerabilityFinding[];
}

/** One vulnerability in one package. */
export interface VulnerabilityFinding {
  readonly id: string;
  readonly severity: Severity;
  /** Empty when the report does not say, as the two that follow. */
  readonly package: string;
  readonly version: string;
  readonly fixedVersion: string;
}
