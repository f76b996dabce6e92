import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../src/admission/verdict.ts';
import { computeDigest } from '../../src/image/digest.ts';
import { manifest } from '../demo/registry/documents.ts';
import type { TestDocument } from '../demo/registry/documents.ts';
import { attach, carrierNamed, carriers, holdingTag } from '../support/carriers.ts';
import type { Carrier } from '../support/carriers.ts';
import { readCosignFixture } from '../support/cosign-fixture.ts';
import { attachmentOf } from '../support/fixture-attachment.ts';
import { answerOf, repository, startFixtureDecisions } from '../support/fixture-decisions.ts';
import { attestedBy, fixturePolicy, sbomBy, signedBy } from '../support/fixture-policies.ts';

const elsewhere = 'acme/signatures';

interface Payload {
  readonly fixture: string;
  readonly kind: 'signature' | 'sbom' | 'attestation';
  readonly requirement: object;
}

/** What cosign made, and what it satisfies. */
const payloads: readonly Payload[] = [
  { fixture: 'key-legacy', kind: 'signature', requirement: signedBy('release') },
  { fixture: 'key-bundle', kind: 'signature', requirement: signedBy('release') },
  { fixture: 'key-bundle-message', kind: 'signature', requirement: signedBy('release') },
  { fixture: 'keyless-legacy', kind: 'signature', requirement: signedBy('people') },
  { fixture: 'keyless-bundle', kind: 'signature', requirement: signedBy('people') },
  { fixture: 'attest-spdx-legacy', kind: 'sbom', requirement: sbomBy('release') },
  { fixture: 'attest-spdx-bundle', kind: 'sbom', requirement: sbomBy('release') },
  { fixture: 'attest-spdx-keyless-bundle', kind: 'sbom', requirement: sbomBy('people') },
  {
    fixture: 'attest-provenance-bundle',
    kind: 'attestation',
    requirement: attestedBy('https://slsa.dev/provenance/v1', 'release'),
  },
];

/** Why a mechanism cannot carry it; undefined where it can. */
function whyNot(
  { carrier, listing, wanted, algorithm }: Carrier,
  { fixture, kind }: Payload,
): string | undefined {
  // A message signature covers the bytes of the image, by whatever digest it is named.
  if (algorithm === 'sha512' && fixture !== 'key-bundle-message') return 'cosign names the image by sha256';
  const isSignature = kind === 'signature';
  if (listing.kind === 'inIndex')
    return isSignature ? 'an index is looked into for attestations alone' : undefined;
  if (listing.kind !== 'tag') return undefined;
  const isAskedFor = isSignature
    ? wanted.signatures
    : wanted.attestations || (wanted.sboms && kind === 'sbom');
  return isAskedFor ? undefined : `${carrier} is not asked for a ${kind}`;
}

/** Decides on an image that has this attached, and nothing else. */
async function decideOn(
  carrier: Carrier,
  { fixture, requirement }: Payload,
  image: Pick<TestDocument, 'bytes' | 'mediaType'>,
): Promise<Verdict> {
  const { algorithm = 'sha256', listing, isElsewhere } = carrier;
  const { registry, decide } = await startFixtureDecisions({
    fixtures: [],
    serves: carrier.serves,
    ask: carrier.ask,
    policies: ({ host }) =>
      fixturePolicy(
        requirement,
        isElsewhere === true ? { evidenceRepositories: [`${host}/${elsewhere}`] } : {},
      ),
  });
  const digest = computeDigest(image.bytes, algorithm);
  registry.store.putManifest(repository, image.bytes, image.mediaType, undefined, algorithm);
  const subject = { mediaType: image.mediaType, digest, size: image.bytes.byteLength };
  const place = isElsewhere === true ? elsewhere : repository;
  attach(carrier, { registry, repository: place, subject }, attachmentOf(fixture));
  return decide(`${listing.kind === 'inIndex' ? `:${holdingTag}` : ''}@${digest}`);
}

function imageOf(fixture: string): Pick<TestDocument, 'bytes' | 'mediaType'> {
  const { imageBytes } = readCosignFixture(fixture);
  return { bytes: Buffer.from(imageBytes), mediaType: 'application/vnd.oci.image.manifest.v1+json' };
}

/** What was proven of the image, however it was found. */
const proven = ({ images }: Verdict): object[] =>
  images.flatMap(({ digest, checks }) =>
    checks
      .flatMap(({ evidence }) => evidence)
      .map(({ mechanism: _mechanism, artifact: _artifact, path: _path, ...rest }) => ({
        ...rest,
        subject: rest.subject === digest ? 'the image' : rest.subject,
      })),
  );

describe.each(payloads)('$fixture', (payload) => {
  const { fixture, kind, requirement } = payload;
  const as = (yes: boolean): string[] =>
    carriers
      .filter((carrier) => (whyNot(carrier, payload) === undefined) === yes)
      .map(({ carrier }) => carrier);

  it.each(as(true))('proves the same by %s as where cosign put it', async (name) => {
    const native = await startFixtureDecisions({ fixtures: [fixture], policies: fixturePolicy(requirement) });
    const asMade = await native.decide(`@${readCosignFixture(fixture).image}`);
    expect(answerOf(asMade)).toBe('admitted');
    expect(proven(asMade)).toMatchObject([{ subject: 'the image' }]);

    const carrier = carrierNamed(name);
    const verdict = await decideOn(carrier, payload, imageOf(fixture));
    expect(answerOf(verdict)).toBe('admitted');
    expect(proven(verdict)).toEqual(proven(asMade));
    expect(verdict.images[0]?.checks[0]?.evidence[0]?.mechanism).toBe(carrier.mechanism);
  });

  it.each(as(false).map((name) => [name, whyNot(carrierNamed(name), payload)]))(
    'does not count by %s: %s',
    async (name) => {
      const verdict = await decideOn(carrierNamed(name), payload, imageOf(fixture));
      const missing = { signature: 'Signature', sbom: 'Sbom', attestation: 'Attestation' }[kind];
      expect(answerOf(verdict)).toMatch(new RegExp(`^denied (?:${missing}Missing|SubjectMismatch)$`));
    },
  );

  it.each(as(true))('T15 T16 denies another image that has it attached by %s', async (name) => {
    const verdict = await decideOn(carrierNamed(name), payload, manifest('another image'));
    expect(answerOf(verdict)).toBe('denied SubjectMismatch');
    expect(verdict.images[0]?.checks[0]?.message).toMatch(/^asks for .*\. Found 1: /);
    expect(proven(verdict)).toEqual([]);
  });
});
