import { apiGroup, groupVersion } from '../policy/model/metadata.ts';

/** Objects that are listed and watched together. */
export interface Collection {
  /** Plural name of the resource, as RBAC and metrics call it. */
  readonly name: string;
  readonly path: string;
  /** What a refusal (403) asks for, a sentence. */
  readonly permission: string;
  /** What a 404 means, a sentence. */
  readonly absent: string;
}

export type PolicyKind = 'TrustedIssuer' | 'ClusterArtifactPolicy' | 'ArtifactPolicy';

export const policyCollections: Readonly<Record<PolicyKind, Collection>> = {
  TrustedIssuer: customResource('trustedissuers'),
  ClusterArtifactPolicy: customResource('clusterartifactpolicies'),
  ArtifactPolicy: customResource('artifactpolicies'),
};

export const namespaceCollection: Collection = {
  name: 'namespaces',
  path: '/api/v1/namespaces',
  permission: grant('get, list and watch', 'namespaces', '', 'a ClusterRole'),
  absent: 'The API server has no namespaces: check the address of the API server.',
};

export function configMapCollection(releaseNamespace: string): Collection {
  return {
    name: 'configmaps',
    path: `/api/v1/namespaces/${encodeURIComponent(releaseNamespace)}/configmaps`,
    permission: grant('list and watch', 'configmaps', '', `a Role of namespace ${releaseNamespace}`),
    absent: 'The API server has no configmaps: check the address of the API server.',
  };
}

function customResource(name: string): Collection {
  return {
    name,
    path: `/apis/${groupVersion}/${name}`,
    permission: grant('list and watch', name, apiGroup, 'a ClusterRole'),
    absent: `The API server has no ${name} of ${groupVersion}: install the custom resource definitions with "refwarden crds | kubectl apply -f -".`,
  };
}

function grant(verbs: string, resource: string, group: string, role: string): string {
  return `The service account may not read ${resource}: allow it the verbs ${verbs} on resources ["${resource}"] of apiGroups ["${group}"] in ${role}.`;
}
