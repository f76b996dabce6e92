import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cosign } from '../tools/cosign.ts';
import type { Oras } from '../tools/oras.ts';
import type { Regctl } from '../tools/regctl.ts';
import { keySigner } from './key-signer.ts';
import { pushImage } from './push-image.ts';
import type { SampleImage } from './sample-image.ts';

/** Repositories, each with one image, named for what refers to it; `signed/sbom` is itself what oras attached. */
export type ReferrerName =
  | 'signed/bundle'
  | 'signed/legacy'
  | 'signed/bundle-by-oras'
  | 'signed/bundle-by-regctl'
  | 'signed/among-others'
  | 'signed/sbom'
  | 'signed/unsigned'
  | 'signed/by-stranger'
  | 'signed/of-another'
  | 'sbom/attested'
  | 'sbom/attached-signed'
  | 'sbom/attached-unsigned';

/** `host/repository@sha256:...` of each. */
export type ReferrerImages = Readonly<Record<ReferrerName, string>>;

export interface ReferrerTools {
  readonly cosign: Cosign;
  readonly oras: Oras;
  readonly regctl: Regctl;
  /** Holds `release.key` and `stranger.key`. */
  readonly keysDirectory: string;
  readonly scratch: string;
}

const spdxPath = join(import.meta.dirname, '..', '..', 'test', 'fixtures', 'predicates', 'app.spdx.json');
const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const sbomFile = 'app.spdx.json';

/** Has cosign, oras and regctl attach what they make, each in its own way, to images of a registry. */
export async function makeReferrers(host: string, tools: ReferrerTools): Promise<ReferrerImages> {
  const { cosign, oras, regctl, keysDirectory, scratch } = tools;
  const release = keySigner(cosign, join(keysDirectory, 'release.key'));
  const stranger = keySigner(cosign, join(keysDirectory, 'stranger.key'));
  const push = (name: ReferrerName, content: string = name): Promise<SampleImage> =>
    pushImage(oras, scratch, `${host}/${name}`, content);
  const attachByOras = (image: SampleImage, type: string, ...files: string[]): Promise<string> =>
    oras(
      [
        'attach',
        '--plain-http',
        '--format=go-template={{.digest}}',
        `--artifact-type=${type}`,
        image.pinned,
        ...files,
      ],
      { cwd: scratch },
    );
  const attachByRegctl = (image: SampleImage, type: string, stdin: string): Promise<string> =>
    regctl(
      host,
      [
        'artifact',
        'put',
        `--subject=${image.pinned}`,
        `--artifact-type=${type}`,
        `--file-media-type=${type}`,
      ],
      { stdin },
    );
  await writeFile(join(scratch, sbomFile), await readFile(spdxPath));

  const bundle = await push('signed/bundle');
  await release.sign(bundle, 'Bundle');
  const legacy = await push('signed/legacy');
  await release.sign(legacy, 'Legacy');

  // The same content is the same digest, so that the signature counts for it in every repository.
  const signature = await bundleOf(bundle, host, regctl);
  await writeFile(join(scratch, 'bundle.json'), signature);
  const byOras = await push('signed/bundle-by-oras', 'signed/bundle');
  await attachByOras(byOras, bundleType, `bundle.json:${bundleType}`);
  const byRegctl = await push('signed/bundle-by-regctl', 'signed/bundle');
  await attachByRegctl(byRegctl, bundleType, signature);
  const ofAnother = await push('signed/of-another');
  await attachByRegctl(ofAnother, bundleType, signature);

  const amongOthers = await push('signed/among-others');
  await attachByOras(amongOthers, 'text/spdx', `${sbomFile}:text/spdx+json`);
  await attachByRegctl(amongOthers, 'text/scan', 'nothing found');
  await release.sign(amongOthers, 'Bundle');

  const unsigned = await push('signed/unsigned');
  await attachByRegctl(unsigned, 'text/scan', 'nothing found');
  const byStranger = await push('signed/by-stranger');
  await stranger.sign(byStranger, 'Bundle');

  const described = await push('signed/sbom');
  const sbom = `${host}/signed/sbom@${await attachByOras(described, 'text/spdx', `${sbomFile}:text/spdx+json`)}`;
  await release.sign({ ...described, pinned: sbom }, 'Bundle');

  const attested = await push('sbom/attested');
  await release.attestSpdx(attested, spdxPath);
  const attachedUnsigned = await push('sbom/attached-unsigned');
  await attachByOras(attachedUnsigned, 'text/spdx', `${sbomFile}:text/spdx+json`);
  const attachedSigned = await push('sbom/attached-signed');
  const attached = await attachByOras(attachedSigned, 'text/spdx', `${sbomFile}:text/spdx+json`);
  await release.sign({ ...attachedSigned, pinned: `${host}/sbom/attached-signed@${attached}` }, 'Bundle');
  return {
    'signed/bundle': bundle.pinned,
    'signed/legacy': legacy.pinned,
    'signed/bundle-by-oras': byOras.pinned,
    'signed/bundle-by-regctl': byRegctl.pinned,
    'signed/among-others': amongOthers.pinned,
    'signed/sbom': sbom,
    'signed/unsigned': unsigned.pinned,
    'signed/by-stranger': byStranger.pinned,
    'signed/of-another': ofAnother.pinned,
    'sbom/attested': attested.pinned,
    'sbom/attached-signed': attachedSigned.pinned,
    'sbom/attached-unsigned': attachedUnsigned.pinned,
  };
}

/** The Sigstore bundle that refers to an image, as cosign pushed it. */
async function bundleOf({ pinned }: SampleImage, host: string, regctl: Regctl): Promise<string> {
  const listed = await regctl(host, [
    'artifact',
    'list',
    pinned,
    '--format={{range .Descriptors}}{{.Digest}}{{end}}',
  ]);
  return regctl(host, ['artifact', 'get', `${pinned.split('@')[0] ?? ''}@${listed}`]);
}
