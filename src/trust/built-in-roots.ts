import seeds from '@sigstore/tuf/seeds.json' with { type: 'json' };
import type { WellKnownMirror } from '../policy/model/trusted-issuer.ts';
import type { BuiltInRoot } from '../policy/resolved-issuer.ts';
import githubTrustedRoot from './github-trusted-root.json' with { type: 'json' };
import githubTufRoot from './github-tuf-root.json' with { type: 'json' };

/**
 * The trusted roots of Sigstore's public-good instance and of GitHub's own, as they were when this version was built
 * (docs/trust.md says where they are from): JSON text.
 */
export function builtInTrustedRoot(name: BuiltInRoot): string {
  switch (name) {
    case 'PublicGood':
      return decoded(publicGood.targets['trusted_root.json']);
    case 'GitHub':
      return JSON.stringify(githubTrustedRoot);
  }
}

/** The root.json that reading a well-known TUF repository starts from: JSON text. */
export function builtInTufRoot(mirror: WellKnownMirror): string {
  switch (mirror) {
    case 'https://tuf-repo-cdn.sigstore.dev':
      return decoded(publicGood['root.json']);
    case 'https://tuf-repo.github.com':
      return JSON.stringify(githubTufRoot);
  }
}

const publicGood = seeds['https://tuf-repo-cdn.sigstore.dev'];

const decoded = (base64: string): string => Buffer.from(base64, 'base64').toString('utf8');
