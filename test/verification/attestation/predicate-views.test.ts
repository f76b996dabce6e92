import { describe, expect, it } from 'vitest';
import { viewOf } from '../../../src/verification/attestation/predicate-views.ts';
import type { ViewRoot } from '../../../src/verification/attestation/predicate-views.ts';

const roots: readonly ViewRoot[] = ['sbom', 'provenance', 'vulnerabilities', 'vex'];

describe('viewOf', () => {
  it.each(roots)('says why an attestation of another type has no %s', (root) => {
    expect(viewOf(root, 'https://example.com/tested/v1\u001b[2J', {})).toEqual({
      failure: {
        code: 'PredicateTypeMismatch',
        message: `The attestation has no ${root}: its predicate type is https://example.com/tested/v1\ufffd[2J.`,
      },
    });
  });

  it.each<[ViewRoot, string, string, string]>([
    ['sbom', 'https://spdx.dev/Document', 'PayloadInvalid', 'The SPDX document has no spdxVersion.'],
    [
      'sbom',
      'https://cyclonedx.org/bom/v1.4',
      'PayloadInvalid',
      'The CycloneDX document has no bomFormat "CycloneDX".',
    ],
    ['provenance', 'https://slsa.dev/provenance/v1', 'PayloadInvalid', 'The provenance has no builder.'],
    [
      'provenance',
      'https://slsa.dev/provenance/v0.1',
      'FormatUnsupported',
      'The provenance is of a version other than SLSA v0.2 and v1.',
    ],
    [
      'vulnerabilities',
      'https://cosign.sigstore.dev/attestation/vuln/v1',
      'FormatUnsupported',
      'The scanner.result of the report is neither JSON of Trivy or Grype nor SARIF 2.1.0: what it found cannot be told.',
    ],
    ['vex', 'https://openvex.dev/ns', 'PayloadInvalid', 'The OpenVEX document has no @context of OpenVEX.'],
  ])('gives no %s of an empty %s, and says why', (root, type, code, message) => {
    expect(viewOf(root, type, {})).toEqual({ failure: { code, message } });
  });
});
