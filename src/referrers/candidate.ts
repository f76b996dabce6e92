import type { ContentStore } from '../admission/content-store.ts';
import type { Candidate, UnusableReferrer } from '../admission/ports.ts';
import { failure } from '../failures/failure.ts';
import { shortDigest } from '../image/digest.ts';
import { repositoryName } from '../image/reference.ts';
import type { Repository } from '../image/reference.ts';
import type { Mechanism } from '../policy/evidence.ts';
import { unusable } from './listed-document.ts';
import type { ListedDocument } from './listed-document.ts';

/** An artifact of which it is proven, or claimed by a tag, that it refers to the subject. */
export function toCandidate(
  store: ContentStore,
  { entry, document, sizeBytes }: Exclude<ListedDocument, { readonly failure: unknown }>,
  found: { readonly mechanism: Mechanism; readonly at: Repository; readonly proved: () => void },
): Candidate | UnusableReferrer {
  const { mechanism, at, proved } = found;
  const { registry, repository } = at;
  if (document.kind === 'index') {
    const name = `${repositoryName(at)}: artifact ${shortDigest(entry.digest)}`;
    const why = failure('FormatUnsupported', `${name} is an index; artifacts are read from manifests.`);
    return unusable(mechanism, why, entry);
  }
  return {
    kind: 'candidate',
    mechanism,
    repository: { registry, repository },
    digest: entry.digest,
    manifest: document,
    sizeBytes,
    fetchLayer: (layer, access) => store.fetchBlob({ registry, repository }, layer, access),
    proved,
  };
}
