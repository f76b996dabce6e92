import { describe, expect, it } from 'vitest';
import { computeDigest, digestHex } from '../../src/image/digest.ts';
import type { Digest } from '../../src/image/digest.ts';
import { emptyConfig, ociManifest } from '../../src/oci/media-types.ts';
import { documentOf } from '../demo/registry/documents.ts';
import { readBuildkitFixture } from '../support/buildkit-fixture.ts';
import { answerOf, repository, startFixtureDecisions } from '../support/fixture-decisions.ts';
import { attestedBy, fixturePolicy, sbomBy, signedBy } from '../support/fixture-policies.ts';
import { signatureLayer, simpleSigningType } from '../support/sign-digest.ts';
import { createKeyIssuer } from '../support/signed-layer.ts';

const provenance = 'https://slsa.dev/provenance/v1';
const builder = createKeyIssuer('builder');

/** What BuildKit made, with cosign's `.sig` of one of its digests, and what a policy of that key answers. */
async function answer(
  fixture: 'artifact' | 'image' | 'unnamed',
  requirement: object,
  signed?: (fixture: ReturnType<typeof readBuildkitFixture>) => Digest | undefined,
): Promise<string> {
  const buildkit = readBuildkitFixture(fixture);
  const list = JSON.parse(fixturePolicy(requirement)) as { items: object[] };
  const spec = { key: { pem: builder.issuer.pem } };
  const issuer = {
    apiVersion: 'refwarden.dev/v1alpha1',
    kind: 'TrustedIssuer',
    metadata: { name: 'builder' },
    spec,
  };
  const { decide, registry } = await startFixtureDecisions({
    fixtures: [`../buildkit/${fixture}`],
    policies: JSON.stringify({ ...list, items: [issuer, ...list.items] }),
  });
  const subject = signed?.(buildkit);
  if (subject !== undefined) {
    const { payload, annotations } = signatureLayer(subject, builder);
    const empty = Buffer.from('{}');
    for (const blob of [empty, payload]) registry.store.putBlob(repository, blob, 'sha256');
    const { bytes } = documentOf(ociManifest, {
      schemaVersion: 2,
      mediaType: ociManifest,
      config: { mediaType: emptyConfig, digest: computeDigest(empty), size: empty.length },
      layers: [
        { mediaType: simpleSigningType, digest: computeDigest(payload), size: payload.length, annotations },
      ],
    });
    registry.store.putManifest(repository, bytes, ociManifest, `sha256-${digestHex(subject)}.sig`);
  }
  return answerOf(await decide(`:1.4.0@${buildkit.platforms[0]?.image ?? ''}`));
}

describe.each(['artifact', 'image'] as const)("BuildKit's attestations (%s) of a platform", (fixture) => {
  it('count under a signature of the index', async () => {
    expect(await answer(fixture, sbomBy('builder'), ({ index }) => index)).toBe('admitted');
    expect(await answer(fixture, attestedBy(provenance, 'builder'), ({ index }) => index)).toBe('admitted');
  });

  it('count under a signature of the attestation manifest', async () => {
    const attestations = ({ platforms }: ReturnType<typeof readBuildkitFixture>) =>
      platforms[0]?.attestations.digest;
    expect(await answer(fixture, sbomBy('builder'), attestations)).toBe('admitted');
    expect(await answer(fixture, signedBy('builder'), attestations)).toBe('denied SignatureMissing');
  });

  it('T16 do not count unsigned, nor under a signature of the image or of the other platform', async () => {
    expect(await answer(fixture, sbomBy('builder'))).toBe('denied VoucherMissing');
    expect(await answer(fixture, sbomBy('builder'), ({ platforms }) => platforms[0]?.image)).toBe(
      'denied VoucherMissing',
    );
    expect(
      await answer(fixture, sbomBy('builder'), ({ platforms }) => platforms[1]?.attestations.digest),
    ).toBe('denied VoucherMissing');
  });

  it('do not count for an issuer who signed nothing', async () => {
    expect(await answer(fixture, sbomBy('release'), ({ index }) => index)).toMatch(/^denied /);
  });
});

describe("BuildKit's attestations of an image without a name", () => {
  it('T16 name no image and do not count', async () => {
    expect(await answer('unnamed', sbomBy('builder'), ({ index }) => index)).toBe('denied PayloadInvalid');
  });
});
