import seeds from '@sigstore/tuf/seeds.json' with { type: 'json' };
import { failure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';

const repository = 'https://tuf-repo-cdn.sigstore.dev';
const target = 'trusted_root.json';

/** The trusted root of Sigstore's public-good instance, as it was when this version was built. */
export function publicGoodTrustedRoot(): string | Failure {
  const targets: Readonly<Record<string, string>> = seeds[repository].targets;
  const encoded = targets[target];
  return encoded === undefined
    ? failure('TrustMaterialMissing', `The built-in trusted root PublicGood has no ${target}.`)
    : Buffer.from(encoded, 'base64').toString('utf8');
}
