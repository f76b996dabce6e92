export const apiVersion = 'refwarden.dev/v1alpha1';

/** A ClusterArtifactPolicy's spec, as far as this suite writes it. */
export interface PolicySpec {
  readonly mode?: 'Enforce' | 'Warn' | 'Audit';
  readonly onInconclusive?: 'Deny' | 'Admit';
  readonly workloads?: 'Pods' | 'All';
  readonly images?: readonly string[];
  readonly excludeImages?: readonly string[];
  readonly require: readonly object[];
  readonly evidenceRepositories?: readonly string[];
  readonly indexTags?: readonly string[];
  readonly crossChecks?: readonly object[];
}

/** Namespaces carry the name of the policy that guards them under this label. */
export const guardLabel = 'e2e.refwarden.dev/guarded-by';

/** A ClusterArtifactPolicy for all images in the namespaces that are labelled with its name. */
export function clusterPolicy(name: string, spec: PolicySpec): object {
  return {
    apiVersion,
    kind: 'ClusterArtifactPolicy',
    metadata: { name },
    spec: { namespaces: { matchLabels: { [guardLabel]: name } }, images: ['**'], ...spec },
  };
}

export function signedBy(...issuers: string[]): object {
  return { name: 'signed', signature: { issuers } };
}

export function spdxBy(...issuers: string[]): object {
  return { name: 'sbom', sbom: { formats: ['SPDX'], issuers } };
}
