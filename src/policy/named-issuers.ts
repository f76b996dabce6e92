import type { ArtifactPolicy, ClusterArtifactPolicy } from './model/artifact-policy.ts';
import { alternativesOf } from './model/requirement.ts';

/** Names of the TrustedIssuers that a policy asks for. */
export const issuersNamedBy = ({ spec }: ArtifactPolicy | ClusterArtifactPolicy): ReadonlySet<string> =>
  new Set(
    spec.require
      .flatMap(alternativesOf)
      .flatMap(({ signature, sbom, attestation }) =>
        [signature, sbom, attestation].flatMap((asked) => asked?.issuers ?? []),
      ),
  );
