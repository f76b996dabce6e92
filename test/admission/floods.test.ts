import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { computeDigest, digestHex, parseDigest } from '../../src/image/digest.ts';
import { emptyConfig, ociIndex, ociManifest } from '../../src/oci/media-types.ts';
import { documentOf } from '../demo/registry/documents.ts';
import { accessOf } from '../registry/registry-access.ts';
import { readCosignFixture } from '../support/cosign-fixture.ts';
import { answerOf, repository, startFixtureDecisions } from '../support/fixture-decisions.ts';
import type { FixtureDecisions } from '../support/fixture-decisions.ts';
import { fixturePolicy, sbomBy, signedBy } from '../support/fixture-policies.ts';
import { signatureLayer, simpleSigningType } from '../support/sign-digest.ts';
import { createKeyIssuer } from '../support/signed-layer.ts';

const image = readCosignFixture('key-legacy').image;
const empty = Buffer.from('{}');
const config = { mediaType: emptyConfig, digest: computeDigest(empty), size: empty.byteLength };

/** Pushes artifacts that refer to the image, each another one. */
function pushReferrers(
  { registry }: FixtureDecisions,
  count: number,
  artifactType: string,
  layers: readonly { readonly mediaType: string; readonly bytes: Buffer }[],
): void {
  const { store } = registry;
  for (const { bytes } of [{ bytes: empty }, ...layers]) store.putBlob(repository, bytes);
  for (let i = 0; i < count; i++) {
    const junk = documentOf(ociManifest, {
      schemaVersion: 2,
      mediaType: ociManifest,
      artifactType,
      config,
      layers: layers.map(({ mediaType, bytes }) => ({
        mediaType,
        digest: computeDigest(bytes),
        size: bytes.byteLength,
        annotations: { 'dev.cosignproject.cosign/signature': 'AAAA' },
      })),
      subject: { mediaType: ociManifest, digest: image, size: 528 },
      annotations: { i: String(i) },
    });
    store.putManifest(repository, junk.bytes, ociManifest);
  }
}

describe('T29 a flood of one kind hides nothing of another', () => {
  it('many signatures by strangers, and the one under the tag of the image', async () => {
    const started = await startFixtureDecisions({
      fixtures: ['key-legacy'],
      policies: fixturePolicy(signedBy('release')),
    });
    const mediaType = 'application/vnd.dev.cosign.simplesigning.v1+json';
    const layers = Array.from({ length: 64 }, () => ({ mediaType, bytes: Buffer.from('{"critical":{}}') }));
    pushReferrers(started, 12, mediaType, layers);
    expect(answerOf(await started.decide(`@${image}`))).toBe('admitted');
  });

  it('many SBOMs that nobody signed, and the one that somebody did', async () => {
    const started = await startFixtureDecisions({
      fixtures: ['sbom-file-signed-legacy'],
      policies: fixturePolicy(sbomBy('release')),
    });
    const mediaType = 'application/spdx+json';
    pushReferrers(started, 40, mediaType, [{ mediaType, bytes: Buffer.from('{"spdxVersion":"SPDX-2.3"}') }]);
    const verdict = await started.decide(`@${image}`);
    expect(answerOf(verdict)).toBe('admitted');
    expect(verdict.requests.total).toBeLessThan(250);
  });

  it('a signature of an SBOM by one issuer, and the one by the issuer that policy asks for', async () => {
    const [builder, scanner] = [createKeyIssuer('builder'), createKeyIssuer('scanner')];
    const issuers = [builder, scanner].map(({ issuer }) => ({
      apiVersion: 'refwarden.dev/v1alpha1',
      kind: 'TrustedIssuer',
      metadata: { name: issuer.name },
      spec: { key: { pem: issuer.pem } },
    }));
    const { items } = JSON.parse(
      fixturePolicy(
        {},
        {
          require: [
            { name: 'scanned', ...signedBy('scanner') },
            { name: 'r', ...sbomBy('builder') },
          ],
        },
      ),
    ) as { items: object[] };
    const started = await startFixtureDecisions({
      fixtures: ['unsigned'],
      policies: JSON.stringify({ items: [...issuers, ...items] }),
    });
    const { store } = started.registry;
    const push = (fields: object, tag?: string): ReturnType<typeof documentOf> => {
      const document = documentOf(ociManifest, {
        schemaVersion: 2,
        mediaType: ociManifest,
        config,
        ...fields,
      });
      store.putManifest(repository, document.bytes, ociManifest, tag);
      return document;
    };
    const layer = (mediaType: string, bytes: Uint8Array, annotations: object = {}): object => {
      store.putBlob(repository, bytes);
      return { mediaType, digest: computeDigest(bytes), size: bytes.byteLength, annotations };
    };
    const spdx = readFileSync(new URL('../fixtures/predicates/app.spdx.json', import.meta.url));
    store.putBlob(repository, empty);
    const sbom = push({
      layers: [layer('application/spdx+json', spdx)],
      subject: { mediaType: ociManifest, digest: image, size: 528 },
    });
    const signature = (by: typeof builder): object => {
      const { payload, annotations } = signatureLayer(sbom.digest, by);
      return { layers: [layer(simpleSigningType, payload, annotations)] };
    };
    // The scanner's is found first, and the builder's under the tag after it.
    push({ ...signature(scanner), subject: sbom.descriptor });
    push(signature(builder), `sha256-${digestHex(sbom.digest)}.sig`);
    const verdict = await started.decide(`@${image}`);
    expect(verdict.images[0]?.checks.map(({ outcome }) => outcome)).toEqual(['failed', 'passed']);
  });

  it('many indexes seen before, and the one under the tag beside the digest', async () => {
    const started = await startFixtureDecisions({
      fixtures: ['index-signed-legacy'],
      policies: fixturePolicy(signedBy('release')),
    });
    const { registry, source, decide } = started;
    for (let i = 0; i < 40; i++) {
      const manifests = [{ mediaType: ociManifest, digest: image, size: 528 }];
      const fields = { schemaVersion: 2, mediaType: ociIndex, manifests, annotations: { i: String(i) } };
      const index = documentOf(ociIndex, fields);
      registry.store.putManifest(repository, index.bytes, ociIndex, `junk-${i}`);
      // Somebody's Pod named it.
      await source.fetchParsed({ registry: registry.host, repository, digest: index.digest }, accessOf());
    }
    expect(answerOf(await decide(`:1.4.0@${image}`))).toBe('admitted');
  });
});

describe('T39 what one decision may cost', () => {
  it('is bounded over the image, its unsigned artifacts and what refers to those', async () => {
    const started = await startFixtureDecisions({
      fixtures: ['unsigned'],
      policies: fixturePolicy(sbomBy('release')),
    });
    const { store } = started.registry;
    const spdx = Buffer.from('{"spdxVersion":"SPDX-2.3"}');
    store.putBlob(repository, spdx);
    store.putBlob(repository, empty);
    for (let i = 0; i < 64; i++) {
      const sbom = documentOf(ociManifest, {
        schemaVersion: 2,
        mediaType: ociManifest,
        artifactType: 'application/spdx+json',
        config,
        layers: [{ mediaType: 'application/spdx+json', digest: computeDigest(spdx), size: spdx.byteLength }],
        subject: { mediaType: ociManifest, digest: image, size: 528 },
        annotations: { i: String(i) },
      });
      store.putManifest(repository, sbom.bytes, ociManifest);
      for (let j = 0; j < 20; j++) {
        const junk = documentOf(ociManifest, {
          schemaVersion: 2,
          mediaType: ociManifest,
          artifactType: 'a/b',
          config,
          layers: [],
          subject: { mediaType: ociManifest, digest: parseDigest(sbom.digest), size: sbom.bytes.byteLength },
          annotations: { j: String(j) },
        });
        store.putManifest(repository, junk.bytes, ociManifest);
      }
    }
    const verdict = await started.decide(`@${image}`);
    expect(answerOf(verdict)).toBe('inconclusive TooManyReferrers');
    expect(verdict.requests.total).toBeLessThan(600);
  });
});
