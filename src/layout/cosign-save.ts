import { failure, RefwardenError } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import { digestAlgorithm, digestHex } from '../image/digest.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { LayoutContent } from './layout-content.ts';
import type { LayoutFiles } from './layout-files.ts';
import type { LayoutGraph } from './layout-graph.ts';

/** What an entry of `index.json` is to cosign (sigstore/cosign, pkg/oci/layout). */
const kindAnnotation = 'kind';
const imageKinds: ReadonlySet<string> = new Set([
  'dev.cosignproject.cosign/image',
  'dev.cosignproject.cosign/imageIndex',
]);
const suffixes: ReadonlyMap<string, string> = new Map([
  ['dev.cosignproject.cosign/sigs', 'sig'],
  ['dev.cosignproject.cosign/atts', 'att'],
]);

const kindOf = ({ annotations }: Descriptor): string => annotations[kindAnnotation] ?? '';
const isSavedImage = (entry: Descriptor): boolean => imageKinds.has(kindOf(entry));
export const isSavedArtifact = (entry: Descriptor): boolean => suffixes.has(kindOf(entry));

/** The tags that the entries stood under in the registry: cosign writes an image, then what is signed of it. */
export function savedTags(entries: readonly Descriptor[]): readonly { tag: string; entry: Descriptor }[] {
  let image: Descriptor | undefined;
  return entries.flatMap((entry) => {
    if (isSavedImage(entry)) image = entry;
    const suffix = suffixes.get(kindOf(entry));
    if (suffix === undefined || image === undefined) return [];
    const tag = `${digestAlgorithm(image.digest)}-${digestHex(image.digest)}.${suffix}`;
    return [{ tag, entry }];
  });
}

/**
 * The bundles of cosign 3: `cosign save` writes each over the `index.json` of the one before, so that they are only found
 * by looking through all blobs, as `cosign load` does (pkg/oci/remote, WriteSignedImageIndexImages).
 * @returns what is wrong with some.
 */
export async function addUnlisted(
  graph: LayoutGraph,
  entries: readonly Descriptor[],
  files: LayoutFiles,
  content: LayoutContent,
): Promise<readonly Failure[]> {
  if (!entries.some(isSavedImage)) return [];
  const failures: Failure[] = [];
  for (const digest of await files.blobs()) {
    if (graph.has(digest) || graph.isLayer(digest)) continue;
    try {
      const found = await content.manifest(digest);
      if (found !== undefined) graph.add(found);
    } catch (thrown) {
      if (!(thrown instanceof RefwardenError) || thrown.code === 'LayoutTooLarge') throw thrown;
      // What is larger than a manifest, or does not parse as one, is none.
      const isOther = ['ArtifactTooLarge', 'ManifestInvalid', 'ManifestAmbiguous', 'DigestUnsupported'];
      if (!isOther.includes(thrown.code)) failures.push(failure(thrown.code, thrown.message));
    }
  }
  return failures;
}
