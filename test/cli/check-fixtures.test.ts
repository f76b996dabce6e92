import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadLayout } from '../../src/demo/registry/load-layout.ts';
import { startRegistry } from '../../src/demo/registry/start-registry.ts';
import { attestedBy, fixturePolicy, sbomBy, signedBy } from '../support/fixture-policies.ts';
import { writePolicyDirectory } from '../support/policy-directory.ts';
import { runCommandLine } from '../support/run-command-line.ts';

const fixtures = fileURLToPath(new URL('../fixtures/cosign', import.meta.url));
const provenance = 'https://slsa.dev/provenance/v1';
const cyclonedx = 'https://cyclonedx.org/bom';

const cyclonedxBy = (...issuers: string[]): object => ({ sbom: { formats: ['CycloneDX'], issuers } });
const eitherSbomBy = (...issuers: string[]): object => ({
  sbom: { formats: ['SPDX', 'CycloneDX'], issuers },
});

/** What real cosign made, what policy asks, and the outcome. */
const cases: readonly [fixture: string, requirement: object, outcome: string, code?: string][] = [
  ['unsigned', signedBy('release'), 'denied', 'SignatureMissing'],
  ['key-legacy', signedBy('release'), 'admitted'],
  ['key-legacy', signedBy('second', 'people'), 'denied', 'SignerNotTrusted'],
  ['key-legacy-rsa', signedBy('rsa'), 'admitted'],
  ['key-legacy-ed25519', signedBy('ed25519'), 'admitted'],
  ['key-legacy-ed25519ph', signedBy('ed25519'), 'denied', 'SignerNotTrusted'],
  ['key-legacy-two', { signature: { issuers: ['release', 'second'], minimumIssuers: 2 } }, 'admitted'],
  [
    'key-legacy',
    { signature: { issuers: ['release', 'second'], minimumIssuers: 2 } },
    'denied',
    'TooFewIssuers',
  ],
  [
    'key-legacy',
    { signature: { issuers: ['release', 'release-again'], minimumIssuers: 2 } },
    'denied',
    'TooFewIssuers',
  ],
  ['key-bundle', signedBy('release'), 'admitted'],
  ['key-bundle-rsa', signedBy('rsa'), 'admitted'],
  ['key-bundle-two', signedBy('release'), 'admitted'],
  [
    'key-bundle-two',
    { signature: { issuers: ['release', 'second'], minimumIssuers: 2 } },
    'denied',
    'TooFewIssuers',
  ],
  ['key-bundle-message', signedBy('release'), 'admitted'],
  ['keyless-bundle', signedBy('people'), 'admitted'],
  ['keyless-bundle', signedBy('others'), 'denied', 'SignerNotTrusted'],
  ['keyless-bundle', signedBy('workflow'), 'denied', 'SignerNotTrusted'],
  ['keyless-github-bundle', signedBy('workflow'), 'admitted'],
  ['keyless-legacy', signedBy('people'), 'admitted'],
  ['attest-spdx-legacy', sbomBy('release'), 'admitted'],
  ['attest-spdx-legacy', signedBy('release'), 'denied', 'SignatureMissing'],
  ['attest-spdx-bundle', sbomBy('release'), 'admitted'],
  ['attest-spdx-bundle', signedBy('release'), 'denied', 'SignatureMissing'],
  ['attest-spdx-bundle', attestedBy(provenance, 'release'), 'denied', 'PredicateTypeMismatch'],
  ['attest-spdx-keyless-bundle', sbomBy('people'), 'admitted'],
  ['attest-provenance-bundle', attestedBy(provenance, 'release'), 'admitted'],
  ['attest-provenance-bundle', sbomBy('release'), 'denied', 'PredicateTypeMismatch'],
  ['attest-provenance-github-bundle', attestedBy(provenance, 'workflow'), 'admitted'],
  ['attest-cyclonedx-bundle', attestedBy(cyclonedx, 'release'), 'admitted'],
  ['attest-cyclonedx-bundle', sbomBy('release'), 'denied', 'PredicateTypeMismatch'],
  ['attest-cyclonedx-bundle', eitherSbomBy('release'), 'admitted'],
  ['attest-spdx-legacy', eitherSbomBy('release'), 'admitted'],
  ['attest-spdx-legacy', cyclonedxBy('release'), 'denied', 'PredicateTypeMismatch'],
  ['signed-and-attested-bundle', sbomBy('release'), 'admitted'],
  ['signed-and-attested-bundle', signedBy('release'), 'admitted'],
  ['stranger-legacy', signedBy('release'), 'denied', 'SignerNotTrusted'],
  ['stranger-bundle', signedBy('release'), 'denied', 'SignerNotTrusted'],
  ['transplanted-legacy', signedBy('release'), 'denied', 'SubjectMismatch'],
  ['transplanted-bundle', signedBy('release'), 'denied'],
  ['transplanted-bundle-reattached', signedBy('release'), 'denied', 'SubjectMismatch'],
  ['index-signed-legacy', signedBy('release'), 'admitted'],
  ['index-signed-bundle', signedBy('release'), 'admitted'],
  ['sbom-file', sbomBy('release'), 'denied', 'VoucherMissing'],
  ['sbom-file', signedBy('release'), 'denied', 'SignatureMissing'],
  ['sbom-file-signed-legacy', sbomBy('release'), 'admitted'],
  ['sbom-file-signed-legacy', sbomBy('second'), 'denied'],
  ['sbom-file-signed-legacy', signedBy('release'), 'denied', 'SignatureMissing'],
  ['sbom-file-signed-bundle', sbomBy('release'), 'admitted'],
  ['sbom-file-signed-bundle', signedBy('release'), 'denied', 'SignatureMissing'],
  ['sbom-tag', sbomBy('release'), 'denied', 'SubjectMissing'],
];

/** Each fixture in a registry with the referrers API and in one without, where cosign's tags and fallback tags count. */
describe.each([{ referrers: true }, { referrers: false }])(
  'refwarden check on what cosign made, referrers API: $referrers',
  (mechanisms) => {
    it.each(cases)('%s, policy asks %o: %s', async (fixture, requirement, outcome, code) => {
      await using registry = await startRegistry({ mechanisms: { references: false, ...mechanisms } });
      await loadLayout(registry.store, 'acme/app', `${fixtures}/${fixture}`);
      await using policies = await writePolicyDirectory({ 'policy.json': fixturePolicy(requirement) });
      const { image } = JSON.parse(readFileSync(`${fixtures}/${fixture}/case.json`, 'utf8')) as {
        image: string;
      };

      const result = await runCommandLine(
        'check',
        `${registry.host}/acme/app@${image}`,
        '--plain-http',
        registry.host,
        '--policies',
        policies.path,
        '--output',
        'json',
      );

      const { verdict, images, requests } = JSON.parse(result.out) as {
        verdict: string;
        images: { checks: { code?: string; message: string; evidence: unknown[] }[] }[];
        requests: { total: number; sequential: number };
      };
      const [check] = images[0]?.checks ?? [];
      expect(verdict, check?.message).toBe(outcome);
      if (code !== undefined) expect(check?.code, check?.message).toBe(code);
      expect(result.code).toBe(outcome === 'admitted' ? 0 : 1);
      expect(check?.evidence.length).toBeGreaterThanOrEqual(outcome === 'admitted' ? 1 : 0);
      expect(requests.total).toBe(registry.requests.length);
      expect(requests.sequential).toBeLessThanOrEqual(requests.total);
    });
  },
);
