import type { WebhookConfiguration } from '../admission/webhook-configurations.ts';
import { resourcePlurals } from '../policy/model/resource.ts';
import type { ResourceKind } from '../policy/model/resource.ts';
import { apiGroup, groupVersion } from '../policy/model/metadata.ts';

const webhookGroup = 'admissionregistration.k8s.io';

/** Objects that are listed and watched together. */
export interface Collection {
  /** Plural name of the resource, as RBAC and metrics call it. */
  readonly name: string;
  readonly path: string;
  /** The name of the only object that is listed and watched. */
  readonly only?: string;
  /** What a refusal (403) asks for, a sentence. */
  readonly permission: string;
  /** What a 404 means, a sentence. */
  readonly absent: string;
}

/** A collection of which one object alone is meant. */
export type SingleCollection = Collection & { readonly only: string };

export const policyCollections: Readonly<Record<ResourceKind, Collection>> = {
  TrustedIssuer: customResource('TrustedIssuer'),
  ClusterArtifactPolicy: customResource('ClusterArtifactPolicy'),
  ArtifactPolicy: customResource('ArtifactPolicy'),
  ArtifactPolicyException: customResource('ArtifactPolicyException'),
};

/** That of one namespace, or of the cluster; `permission` is the one to write the status. */
export function policyCollection(kind: ResourceKind, namespace: string | undefined): Collection {
  const { name, absent } = policyCollections[kind];
  const within = namespace === undefined ? '' : `namespaces/${encodeURIComponent(namespace)}/`;
  return {
    name,
    absent,
    path: `/apis/${groupVersion}/${within}${name}`,
    permission: grant('patch', `${name}/status`, apiGroup, 'a ClusterRole', 'write'),
  };
}

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

/** The Secret of this name alone: RBAC may then grant it by `resourceNames`. */
export function secretCollection(namespace: string, name: string): SingleCollection {
  return {
    name: 'secrets',
    path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`,
    only: name,
    permission: grant('list, watch, create and update', 'secrets', '', `a Role of namespace ${namespace}`),
    absent: 'The API server has no secrets: check the address of the API server.',
  };
}

/** The lease by which replicas agree on who writes. */
export function leaseCollection(namespace: string, name: string): SingleCollection {
  return {
    name: 'leases',
    path: `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`,
    only: name,
    permission: grant(
      'get, create and update',
      'leases',
      'coordination.k8s.io',
      `a Role of namespace ${namespace}`,
    ),
    absent: 'The API server has no leases: check the address of the API server.',
  };
}

/** The namespace of this name alone. */
export const oneNamespaceCollection = (name: string): SingleCollection => ({
  ...namespaceCollection,
  only: name,
});

/** The ClusterRole that the webhook configurations belong to. */
export const clusterRoleCollection = (name: string): SingleCollection => ({
  name: 'clusterroles',
  path: '/apis/rbac.authorization.k8s.io/v1/clusterroles',
  only: name,
  permission: grant('get', 'clusterroles', 'rbac.authorization.k8s.io', 'a ClusterRole'),
  absent: 'The API server has no clusterroles: check the address of the API server.',
});

/** The Service that leads to the webhook. */
export function serviceCollection(namespace: string, name: string): SingleCollection {
  return {
    name: 'services',
    path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/services`,
    only: name,
    permission: grant('get and patch', 'services', '', `a Role of namespace ${namespace}`),
    absent: 'The API server has no services: check the address of the API server.',
  };
}

/** An Event about an object of the whole cluster. */
export const eventCollection = (name: string): SingleCollection => ({
  name: 'events',
  path: '/api/v1/namespaces/default/events',
  only: name,
  permission: grant('create and patch', 'events', '', 'a Role of namespace default', 'write'),
  absent: 'The API server has no events: check the address of the API server.',
});

/** The webhook configuration of this name alone. */
export function webhookCollection(kind: WebhookConfiguration['kind'], name: string): SingleCollection {
  const plural = `${kind.toLowerCase()}s`;
  return {
    name: plural,
    path: `/apis/${webhookGroup}/v1/${plural}`,
    only: name,
    permission: grant('list, watch, create, update and delete', plural, webhookGroup, 'a ClusterRole'),
    absent: `The API server has no ${plural}: check the address of the API server.`,
  };
}

function customResource(kind: ResourceKind): Collection {
  const name = resourcePlurals[kind];
  return {
    name,
    path: `/apis/${groupVersion}/${name}`,
    permission: grant('list and watch', name, apiGroup, 'a ClusterRole'),
    absent: `The API server has no ${name} of ${groupVersion}: install the custom resource definitions with "refwarden crds | kubectl apply -f -".`,
  };
}

function grant(verbs: string, resource: string, group: string, role: string, what = 'read'): string {
  return `The account may not ${what} ${resource}: allow it the verbs ${verbs} on resources ["${resource}"] of apiGroups ["${group}"] in ${role}.`;
}
