import { describe, expect, it } from 'vitest';
import { viewOf } from '../../src/verification/attestation/predicate-views.ts';
import type { ViewRoot } from '../../src/verification/attestation/predicate-views.ts';
import { createVerifier } from '../../src/verification/verifier.ts';
import { attestedClaim, attestedKeyIssuer, readAttestedFixture } from '../support/attested-fixture.ts';
import { onlyArtifact, requestFor } from '../support/cosign-fixture.ts';

const verifier = createVerifier();
const issuer = attestedKeyIssuer();
const spdx = 'https://spdx.dev/Document';
const cyclonedx = 'https://cyclonedx.org/bom';
const vulnerabilities = 'https://cosign.sigstore.dev/attestation/vuln/v1';

const cases = [
  ['cyclonedx-bundle', cyclonedx, { format: 'CycloneDX', version: '1.6' }],
  ['cyclonedx-legacy', cyclonedx, { format: 'CycloneDX', version: '1.5' }],
  ['spdxjson-bundle', spdx, { format: 'SPDX', version: '2.3' }],
  ['spdx-text-legacy', spdx, { format: 'SPDX', version: '2.3' }],
  ['provenance-v02-bundle', 'https://slsa.dev/provenance/v0.2', undefined],
  ['provenance-v1-bundle', 'https://slsa.dev/provenance/v1', undefined],
  ['vuln-trivy-bundle', vulnerabilities, undefined],
  ['vuln-grype-bundle', vulnerabilities, undefined],
  ['vuln-sarif-bundle', vulnerabilities, undefined],
  ['vuln-raw-bundle', vulnerabilities, undefined],
  ['openvex-bundle', 'https://openvex.dev/ns', undefined],
] as const;

describe('what real cosign attested', () => {
  it.each(cases)('%s is evidence of its type', async (name, predicateType, sbom) => {
    const fixture = readAttestedFixture(name);
    const { evidence, rejections } = await verifier.verify(
      requestFor(fixture, onlyArtifact(fixture), [issuer]),
    );
    expect(rejections).toEqual([]);
    expect(evidence).toHaveLength(1);
    expect(evidence[0]).toMatchObject({ kind: 'attestation', predicateType, subject: fixture.image });
    expect(evidence[0]?.sbom).toEqual(sbom);
    expect(evidence[0]).not.toHaveProperty('predicate');
  });

  const viewOfFixture = (root: ViewRoot, name: string) => {
    const { predicateType = '', predicate } = attestedClaim(name);
    return viewOf(root, predicateType, predicate);
  };
  const source = {
    sourceUri: 'https://github.com/acme/shop',
    sourceRef: 'refs/tags/v1.4.0',
    sourceDigest: '5f0c1d2e3b4a59687786958473625140fedcba98',
    startedOn: '2026-01-01T00:00:00Z',
    finishedOn: '2026-01-01T00:04:00Z',
  };
  it.each<[string, ViewRoot, object]>([
    ['cyclonedx-bundle', 'sbom', { format: 'CycloneDX', version: '1.6' }],
    ['cyclonedx-legacy', 'sbom', { format: 'CycloneDX', version: '1.5' }],
    ['spdxjson-bundle', 'sbom', { format: 'SPDX', version: '2.3' }],
    ['spdx-text-legacy', 'sbom', { format: 'SPDX', version: '2.3' }],
    ['provenance-v02-bundle', 'provenance', { ...source, invocationId: '9876543210-1' }],
    ['provenance-v1-bundle', 'provenance', { ...source, invocationId: 'rpv7a389uzil5lqmrgwhijwjz' }],
    [
      'vuln-trivy-bundle',
      'vulnerabilities',
      {
        scanner: 'pkg:github/aquasecurity/trivy@0.74.0',
        scannedAt: '2026-01-01T00:01:00Z',
        critical: 2,
        high: 1,
      },
    ],
    ['vuln-grype-bundle', 'vulnerabilities', { scannerVersion: '0.121.2', critical: 1, negligible: 1 }],
    ['vuln-sarif-bundle', 'vulnerabilities', { critical: 1, high: 2, unknown: 1 }],
    [
      'openvex-bundle',
      'vex',
      {
        author: 'Acme Product Security <security@acme.example>',
        notAffected: [{ vulnerability: 'CVE-2023-45853', justification: 'vulnerable_code_not_present' }],
        fixed: [{ vulnerability: 'CVE-2021-44906', timestamp: '2026-01-02T00:00:00Z' }],
      },
    ],
  ])('%s has a view as %s', (name, root, view) => {
    expect(viewOfFixture(root, name)).toMatchObject({ view });
  });

  it('has no counts where cosign threw the report away', () => {
    expect(viewOfFixture('vulnerabilities', 'vuln-raw-bundle')).toMatchObject({
      failure: { code: 'FormatUnsupported' },
    });
  });
});

describe('CycloneDX files', () => {
  it('count under the signature that real cosign made of what oras attached', async () => {
    const fixture = readAttestedFixture('cyclonedx-file-signed');
    const [file] = fixture.files;
    if (file === undefined) throw new Error('no SBOM');
    const artifact = onlyArtifact(fixture);
    const signed = await verifier.verify({
      ...requestFor(fixture, artifact, [issuer]),
      subjects: [file.digest],
    });
    expect(signed.evidence).toMatchObject([{ kind: 'signature', subject: file.digest }]);
    const { evidence, rejections } = await verifier.verify({
      ...requestFor(fixture, file, [issuer]),
      vouchers: signed.evidence,
    });
    expect(rejections).toEqual([]);
    expect(evidence).toMatchObject([
      { format: 'BareSbom', predicateType: cyclonedx, sbom: { format: 'CycloneDX', version: '1.6' } },
    ]);
  });

  it("T16 under cosign's .sbom tag name no image", () => {
    const [file] = readAttestedFixture('cyclonedx-tag').files;
    if (file === undefined) throw new Error('no SBOM');
    expect(verifier.needs(file.manifest)).toMatchObject({
      vouched: [],
      skipped: [{ code: 'SubjectMissing', about: 'attestation' }],
    });
  });
});
