import type { Failure } from '../failures/failure.ts';

/** What is wrong for good, and what may become right: an issuer that is applied later, a ConfigMap that is not there yet. */
export interface ResourceFindings {
  readonly refusal?: Failure;
  readonly warnings: readonly string[];
}

/** What somebody else may mend by applying something else. */
export const mayCome = new Set(['PolicyNotReady', 'TrustMaterialMissing', 'TrustMaterialInvalid']);
