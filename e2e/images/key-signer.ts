import type { Cosign } from '../tools/cosign.ts';
import type { SampleImage } from './sample-image.ts';

/** `Legacy` is the format of cosign 1 and 2 (tags `.sig` and `.att`), `Bundle` the Sigstore bundle v0.3. */
export type SignatureFormat = 'Legacy' | 'Bundle';

/** Signs with a key and without any service. */
export interface KeySigner {
  /** @param elsewhere `host/name` of the repository that the signature is put into, instead of the image's own. */
  readonly sign: (image: SampleImage, format: SignatureFormat, elsewhere?: string) => Promise<void>;
  readonly attestSpdx: (image: SampleImage, predicatePath: string) => Promise<void>;
}

export function keySigner(cosign: Cosign, keyPath: string): KeySigner {
  const flags = [`--key=${keyPath}`, '--use-signing-config=false', '--tlog-upload=false', '--yes'];
  return {
    sign: async ({ pinned }, format, elsewhere) => {
      await cosign.run(['sign', ...flags, `--new-bundle-format=${String(format === 'Bundle')}`, pinned], {
        env: { COSIGN_REPOSITORY: elsewhere },
      });
    },
    attestSpdx: async ({ pinned }, predicatePath) => {
      await cosign.run(['attest', ...flags, '--type=spdxjson', `--predicate=${predicatePath}`, pinned]);
    },
  };
}
