import { apiGroup, apiVersion } from '../model/metadata.ts';
import { resourcePlurals, resourceSchemas } from '../model/resource.ts';
import type { ResourceKind } from '../model/resource.ts';
import { structuralSchema } from './structural-schema.ts';

interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'date';
  readonly jsonPath: string;
}

interface Naming {
  readonly shortNames: readonly string[];
  readonly scope: 'Cluster' | 'Namespaced';
  readonly columns: readonly PrinterColumn[];
}

/** Of type date kubectl shows the time since, which suits the past alone. */
const age: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };
const ready: PrinterColumn = {
  name: 'Ready',
  type: 'string',
  jsonPath: '.status.conditions[?(@.type=="Ready")].status',
};
const reason: PrinterColumn = {
  name: 'Reason',
  type: 'string',
  jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
};
const mode: PrinterColumn = { name: 'Mode', type: 'string', jsonPath: '.spec.mode' };

const naming: Readonly<Record<ResourceKind, Naming>> = {
  TrustedIssuer: {
    shortNames: ['ti'],
    scope: 'Cluster',
    columns: [ready, reason, age],
  },
  ClusterArtifactPolicy: {
    shortNames: ['cap'],
    scope: 'Cluster',
    columns: [mode, ready, reason, age],
  },
  ArtifactPolicy: {
    shortNames: ['ap'],
    scope: 'Namespaced',
    columns: [mode, ready, reason, age],
  },
  ArtifactPolicyException: {
    shortNames: ['ape'],
    scope: 'Cluster',
    columns: [{ name: 'Expires', type: 'string', jsonPath: '.spec.expiresAt' }, ready, reason, age],
  },
};

/** The descriptions that every kind has (k8s.io/apimachinery meta/v1 TypeMeta). */
const describedByKubernetes = {
  apiVersion:
    'APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources',
  kind: 'Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds',
} as const;

export interface CustomResourceDefinition {
  readonly apiVersion: 'apiextensions.k8s.io/v1';
  readonly kind: 'CustomResourceDefinition';
  readonly metadata: { readonly name: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** The CustomResourceDefinitions of the group, generated from the model that parses the resources. */
export function customResourceDefinitions(): CustomResourceDefinition[] {
  return (Object.keys(resourceSchemas) as ResourceKind[]).map(definition);
}

function definition(kind: ResourceKind): CustomResourceDefinition {
  const { shortNames, scope, columns } = naming[kind];
  const plural = resourcePlurals[kind];
  const schema = structuralSchema(resourceSchemas[kind]);
  const properties = schema['properties'] as Record<string, unknown>;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${apiGroup}` },
    spec: {
      group: apiGroup,
      scope,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames,
        categories: ['refwarden'],
      },
      versions: [
        {
          name: apiVersion,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          schema: {
            openAPIV3Schema: {
              ...schema,
              required: ['spec'],
              // The API server owns these three; it takes no schema of ours for them.
              properties: {
                ...properties,
                apiVersion: { type: 'string', description: describedByKubernetes.apiVersion },
                kind: { type: 'string', description: describedByKubernetes.kind },
                metadata: { type: 'object' },
              },
            },
          },
        },
      ],
    },
  };
}
