import { readFileSync } from 'node:fs';
import { parseDigest } from '../../src/image/digest.ts';
import type { Digest } from '../../src/image/digest.ts';
import { parseDocument } from '../../src/oci/manifest.ts';
import type { Index } from '../../src/oci/manifest.ts';
import { readBlobs, readManifests } from './layout-fixture.ts';
import type { FixtureArtifact } from './layout-fixture.ts';

/** What BuildKit's exporter made (test/fixtures/README.md): an index of two platforms with their attestation manifests. */
export interface BuildkitFixture {
  readonly index: Digest;
  readonly document: Index;
  /** In the order of the index: the image of a platform, and the attestation manifest for it. */
  readonly platforms: readonly { readonly image: Digest; readonly attestations: FixtureArtifact }[];
}

export function readBuildkitFixture(name: 'artifact' | 'image' | 'unnamed'): BuildkitFixture {
  const layout = new URL(`../fixtures/buildkit/${name}/`, import.meta.url);
  const { manifests } = JSON.parse(readFileSync(new URL('index.json', layout), 'utf8')) as {
    manifests: { digest: string }[];
  };
  const index = parseDigest(manifests[0]?.digest ?? '');
  const blobs = readBlobs(layout);
  const bytes = blobs.get(index);
  const document = bytes && parseDocument(bytes, undefined, 'index');
  if (document?.kind !== 'index') throw new Error(`fixture ${name} has no index`);
  const artifacts = new Map(readManifests(blobs).map((artifact) => [artifact.digest, artifact]));
  const platforms = document.manifests.flatMap(({ digest, annotations }) => {
    const image = annotations['vnd.docker.reference.digest'];
    const attestations = artifacts.get(digest);
    return image === undefined || attestations === undefined
      ? []
      : [{ image: parseDigest(image), attestations }];
  });
  return { index, document, platforms };
}
