import { shortDigest } from '../../src/image/digest.ts';
import type { Digest } from '../../src/image/digest.ts';
import type { Oras } from '../tools/oras.ts';
import { pushImage } from './push-image.ts';
import type { SampleImage } from './sample-image.ts';

/** The index of an image for two platforms, on linux. */
export interface SampleIndex extends SampleImage {
  readonly amd64: SampleImage;
  readonly arm64: SampleImage;
}

/** Pushes an image for two platforms under tags of their own, and has oras make the index of both. */
export async function pushIndex(
  oras: Oras,
  scratch: string,
  repository: string,
  content: string,
  tag = '1.0',
): Promise<SampleIndex> {
  const push = (architecture: string): Promise<SampleImage> =>
    pushImage(oras, scratch, repository, content, { tag: `${tag}-${architecture}`, architecture });
  const [amd64, arm64] = await Promise.all([push('amd64'), push('arm64')]);
  const tagged = `${repository}:${tag}`;
  await oras(['manifest', 'index', 'create', '--plain-http', tagged, `${tag}-amd64`, `${tag}-arm64`]);
  const digest = await oras(['resolve', '--plain-http', tagged]);
  const pinned = `${repository}@${digest}`;
  return { tagged, pinned, shortDigest: shortDigest(digest as Digest), amd64, arm64 };
}
