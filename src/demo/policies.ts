import resources from './samples/policies.json' with { type: 'json' };

/** The sample issuers and policies, as `manifests/samples/*.yaml` holds them: Kubernetes objects, not yet parsed. */
export const demoPolicies: readonly object[] = resources;
