import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeImageArchive } from '../../scripts/image-archive.ts';
import { shortDigest } from '../../src/image/digest.ts';
import type { Digest } from '../../src/image/digest.ts';
import { ensureComponent } from '../components/ensure-component.ts';
import type { SampleImage } from '../images/sample-image.ts';
import { runCommandOrThrow } from '../processes/run-command.ts';
import type { Crane } from '../tools/crane.ts';

/**
 * Pushes an image that runs until it is asked to end.
 * @param repository `host/name`
 * @param label makes the digest: the same label is the same image
 */
export async function pushRunnable(
  crane: Crane,
  scratch: string,
  repository: string,
  label: string,
): Promise<SampleImage> {
  const archive = join(scratch, `${label}.tar`);
  const layout = join(scratch, label);
  const layers = [new Map([['/pause', await ensureComponent('pause')]])];
  const config = { Entrypoint: ['/pause'], Labels: { label } };
  const digest = writeImageArchive(archive, `${repository}:1.0`, { layers, config });
  await mkdir(layout);
  await runCommandOrThrow('tar', ['--extract', '--file', archive, '--directory', layout]);
  await crane(['push', layout, `${repository}:1.0`]);
  return {
    tagged: `${repository}:1.0`,
    pinned: `${repository}@${digest}`,
    shortDigest: shortDigest(digest as Digest),
  };
}
