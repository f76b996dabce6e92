import type { Cosign } from '../tools/cosign.ts';
import type { SampleImage } from './sample-image.ts';

/** `Legacy` is the format of cosign 1 and 2 (tags `.sig` and `.att`), `Bundle` the Sigstore bundle v0.3. */
export type SignatureFormat = 'Legacy' | 'Bundle';

/** Signs with a key and without any service. */
export interface KeySigner {
  readonly sign: (image: SampleImage, format: SignatureFormat) => Promise<void>;
  readonly attestSpdx: (image: SampleImage, predicatePath: string) => Promise<void>;
}

export function keySigner(cosign: Cosign, keyPath: string): KeySigner {
  const flags = [`--key=${keyPath}`, '--use-signing-config=false', '--tlog-upload=false', '--yes'];
  return {
    sign: async ({ pinned }, format) => {
      await cosign.run(['sign', ...flags, `--new-bundle-format=${String(format === 'Bundle')}`, pinned]);
    },
    attestSpdx: async ({ pinned }, predicatePath) => {
      await cosign.run(['attest', ...flags, '--type=spdxjson', `--predicate=${predicatePath}`, pinned]);
    },
  };
}
