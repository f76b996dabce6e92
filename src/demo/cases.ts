import type { VerdictOutcome } from '../admission/verdict.ts';
import type { FailureCode } from '../failures/catalogue.ts';
import { archiveHost, shopHost } from './demo-addresses.ts';
import multiArch from './samples/multi-arch.json' with { type: 'json' };
import sbom from './samples/sbom.json' with { type: 'json' };

/** One image of the demo and what the sample policies make of it. */
export interface DemoCase {
  readonly image: string;
  /** What is special about it, for people. */
  readonly what: string;
  readonly expected: VerdictOutcome;
  /** Present unless admitted. */
  readonly expectedCode?: FailureCode;
}

export const demoCases: readonly DemoCase[] = [
  {
    image: `${shopHost}/shop/api:1.0`,
    what: 'signed by the release key, under the tag .sig',
    expected: 'admitted',
  },
  { image: `${shopHost}/shop/web:1.0`, what: 'signed by the release key, as a bundle', expected: 'admitted' },
  {
    image: `${shopHost}/shop/keyless:1.0`,
    what: 'signed without a key, by release@shop.example',
    expected: 'admitted',
  },
  {
    image: `${shopHost}/shop/sbom@${sbom.tags['1.0']}`,
    what: 'signed, with an SPDX SBOM attested',
    expected: 'admitted',
  },
  {
    image: `${archiveHost}/shop/multi-arch@${multiArch.tags['1.0-amd64']}`,
    what: 'a platform of an index that is signed, found by references',
    expected: 'admitted',
  },
  {
    image: `${shopHost}/shop/unsigned:1.0`,
    what: 'not signed at all',
    expected: 'denied',
    expectedCode: 'SignatureMissing',
  },
  {
    image: `${shopHost}/shop/stranger:1.0`,
    what: 'signed by a key that nobody trusts',
    expected: 'denied',
    expectedCode: 'SignerNotTrusted',
  },
  {
    image: `${shopHost}/shop/transplanted:1.0`,
    what: 'carries the signature of shop/api',
    expected: 'denied',
    expectedCode: 'SubjectMismatch',
  },
  {
    image: `${shopHost}/shop/no-sbom:1.0`,
    what: 'signed, but without the SBOM that policy asks for',
    expected: 'denied',
    expectedCode: 'SbomMissing',
  },
  {
    image: `${shopHost}/shop/missing:1.0`,
    what: 'not in the registry',
    expected: 'inconclusive',
    expectedCode: 'ImageNotFound',
  },
];
