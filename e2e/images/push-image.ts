import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { shortDigest } from '../../src/image/digest.ts';
import type { Digest } from '../../src/image/digest.ts';
import type { Oras } from '../tools/oras.ts';
import type { SampleImage } from './sample-image.ts';

export interface PushOptions {
  readonly tag?: string;
  /** Of the image's platform, on linux. */
  readonly architecture?: string;
}

/**
 * Pushes an image of text only (the layer is no real tar) with oras.
 * @param repository `host/name`
 * @param content makes the digest: the same content is the same image
 */
export async function pushImage(
  oras: Oras,
  scratch: string,
  repository: string,
  content: string,
  { tag = '1.0', architecture = 'amd64' }: PushOptions = {},
): Promise<SampleImage> {
  const cwd = await mkdtemp(join(scratch, 'image-'));
  const config = { architecture, os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: [] } };
  await writeFile(join(cwd, 'config.json'), JSON.stringify(config));
  await writeFile(join(cwd, 'layer.txt'), content);
  const tagged = `${repository}:${tag}`;
  const digest = await oras(
    [
      'push',
      '--plain-http',
      '--format=go-template={{.digest}}',
      '--annotation=org.opencontainers.image.created=2026-01-01T00:00:00Z',
      '--config=config.json:application/vnd.oci.image.config.v1+json',
      tagged,
      'layer.txt:application/vnd.oci.image.layer.v1.tar',
    ],
    { cwd },
  );
  return { tagged, pinned: `${repository}@${digest}`, shortDigest: shortDigest(digest as Digest) };
}
