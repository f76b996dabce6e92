import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { githubWorkflowClaims } from '../signing/github-workflow-claims.ts';
import type { GithubWorkflow } from '../signing/github-workflow-claims.ts';
import type { SigningServices } from '../signing/signing-services.ts';
import type { Cosign } from '../tools/cosign.ts';
import type { Notation } from '../tools/notation.ts';
import type { Oras } from '../tools/oras.ts';
import { keySigner } from './key-signer.ts';
import { provenanceOf } from './provenance.ts';
import { notationSigner } from './notation-signer.ts';
import { pushImage } from './push-image.ts';
import { sampleNames } from './sample-image.ts';
import type { SampleImage, SampleImages, SampleName } from './sample-image.ts';

export const releasePerson = 'release@acme.example';
export const somebody = 'somebody@acme.example';

/** Whose provenance the samples carry. */
export const releaseWorkflow: GithubWorkflow = {
  repository: 'acme/shop',
  workflow: 'release.yml',
  ref: 'refs/tags/v1.4.0',
};

export interface SampleTools {
  readonly cosign: Cosign;
  readonly notation: Notation;
  readonly oras: Oras;
  readonly signing: SigningServices;
  /** Holds `release.key` and `stranger.key`, and what Notation signs with in `notation-release/` and `notation-stranger/`. */
  readonly keysDirectory: string;
  readonly scratch: string;
}

/** An SPDX document. */
export const spdxPath = join(
  import.meta.dirname,
  '..',
  '..',
  'test',
  'fixtures',
  'predicates',
  'app.spdx.json',
);

/** Pushes every sample to a registry and has cosign and Notation sign and attest them. */
export async function makeSamples(host: string, tools: SampleTools): Promise<SampleImages> {
  const { cosign, notation, oras, signing, keysDirectory, scratch } = tools;
  const release = keySigner(cosign, join(keysDirectory, 'release.key'));
  const stranger = keySigner(cosign, join(keysDirectory, 'stranger.key'));
  const notationRelease = notationSigner(notation, join(keysDirectory, 'notation-release'));
  const notationStranger = notationSigner(notation, join(keysDirectory, 'notation-stranger'));
  const push = (name: SampleName, content: string = name): Promise<SampleImage> =>
    pushImage(oras, scratch, `${host}/e2e/${name}`, content);
  const signAs = async ({ pinned }: SampleImage, email: string): Promise<void> => {
    const token = signing.people.token({ sub: email, email, email_verified: true });
    await cosign.run([
      'sign',
      `--signing-config=${signing.signingConfigPath}`,
      `--trusted-root=${signing.trustedRootPath}`,
      `--identity-token=${token}`,
      '--yes',
      pinned,
    ]);
  };

  const attestProvenanceAs = async ({ pinned }: SampleImage, workflow: GithubWorkflow): Promise<void> => {
    const predicatePath = join(scratch, `provenance-of-${workflow.workflow}.json`);
    await writeFile(predicatePath, JSON.stringify(provenanceOf(workflow)));
    const claims = githubWorkflowClaims(workflow);
    await cosign.run([
      'attest',
      '--type=slsaprovenance1',
      `--predicate=${predicatePath}`,
      `--signing-config=${signing.signingConfigPath}`,
      `--trusted-root=${signing.trustedRootPath}`,
      `--identity-token=${signing.workflows.token(claims)}`,
      '--yes',
      pinned,
    ]);
  };

  const images = {} as Record<SampleName, SampleImage>;
  for (const name of sampleNames) images[name] = await push(name);
  await release.sign(images['signed-legacy'], 'Legacy');
  await release.sign(images['signed-bundle'], 'Bundle');
  await signAs(images['signed-keyless'], releasePerson);
  await signAs(images['signed-by-somebody'], somebody);
  await stranger.sign(images['signed-by-stranger'], 'Bundle');
  await release.sign(images['attested'], 'Bundle');
  await release.attestSpdx(images['attested'], spdxPath);
  await attestProvenanceAs(images['built-by-release'], releaseWorkflow);
  await attestProvenanceAs(images['built-by-another'], { ...releaseWorkflow, repository: 'mallory/shop' });
  await notationRelease.sign(images['signed-notation-jws'], 'jws');
  await notationRelease.sign(images['signed-notation-cose'], 'cose');
  await notationStranger.sign(images['signed-notation-by-stranger'], 'jws');
  await release.sign(images['signed-then-moved'], 'Bundle');
  images['signed-then-moved'] = await push('signed-then-moved', 'what the tag was moved to');
  return images;
}
