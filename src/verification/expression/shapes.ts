import type { ExpressionContext, ExpressionRoot } from '../../policy/assertions.ts';
import type { PredicateViews, ViewRoot } from '../attestation/predicate-views.ts';
import type { AttestationFact } from './attestation-facts.ts';
import type { SignatureFact } from './signature-fact.ts';

/** What may be selected from a value; undefined where that is known only at run time: a predicate, labels. */
export type Shape =
  { readonly fields: Readonly<Record<string, Shape>> } | { readonly items: Shape } | 'scalar' | undefined;

/** The shape of a type, so that it cannot differ from what expressions get. */
type ShapeOf<T> = T extends string | number | boolean
  ? 'scalar'
  : T extends readonly (infer Item)[]
    ? { readonly items: ShapeOf<Item> }
    : string extends keyof T
      ? undefined
      : { readonly fields: { readonly [Field in keyof T]-?: ShapeOf<NonNullable<T[Field]>> } };

const texts = <const Field extends string>(...fields: Field[]): Record<Field, 'scalar'> =>
  Object.fromEntries(fields.map((field) => [field, 'scalar'])) as Record<Field, 'scalar'>;

const vexStatements = {
  items: {
    fields: {
      ...texts('vulnerability', 'justification', 'timestamp'),
      products: { items: 'scalar' },
      subcomponents: { items: 'scalar' },
    },
  },
} as const;

const views: { readonly [Root in ViewRoot]: ShapeOf<PredicateViews[Root]> } = {
  sbom: {
    fields: {
      ...texts('format', 'version', 'created'),
      packages: {
        items: {
          fields: {
            ...texts('name', 'group', 'version', 'purl', 'supplier'),
            licenses: { items: 'scalar' },
          },
        },
      },
    },
  },
  provenance: {
    fields: {
      ...texts('builder', 'buildType', 'sourceUri', 'sourceRef', 'sourceDigest'),
      ...texts('invocationId', 'startedOn', 'finishedOn'),
      materials: { items: { fields: { ...texts('uri'), digest: undefined } } },
    },
  },
  vulnerabilities: {
    fields: {
      ...texts('critical', 'high', 'medium', 'low', 'negligible', 'unknown'),
      ...texts('scanner', 'scannerVersion', 'scannedAt'),
      findings: { items: { fields: texts('id', 'severity', 'package', 'version', 'fixedVersion') } },
    },
  },
  vex: {
    fields: {
      ...texts('author', 'timestamp'),
      notAffected: vexStatements,
      affected: vexStatements,
      fixed: vexStatements,
      underInvestigation: vexStatements,
    },
  },
};

const signature: ShapeOf<SignatureFact> = {
  fields: {
    ...texts('issuer', 'subject', 'signedAt'),
    signer: {
      fields: texts('kind', 'issuer', 'subject', 'keyFingerprint', 'certificateFingerprint'),
    },
  },
};

const attestation: ShapeOf<Omit<AttestationFact, 'predicate'>> & Shape = {
  fields: { ...signature.fields, ...views, predicateType: 'scalar' },
};

const context: { readonly [Root in keyof ExpressionContext]: ShapeOf<ExpressionContext[Root]> } = {
  image: { fields: texts('reference', 'registry', 'repository', 'tag', 'digest') },
  workload: { fields: texts('kind', 'namespace', 'name') },
  namespaceObject: {
    fields: { metadata: { fields: { ...texts('name'), labels: undefined } } },
  },
};

/** Of what expressions name at their root. */
export const rootShapes: Readonly<Record<ExpressionRoot, Shape>> = {
  ...views,
  ...context,
  predicateType: 'scalar',
  predicate: undefined,
  signatures: { items: signature },
  attestations: { items: { fields: { ...attestation.fields, predicate: undefined } } },
};

/** @returns what is wrong with selecting the field; undefined where nothing is, as far as can be said. */
export function whyNoField(shape: Shape, field: string): string | undefined {
  if (shape === undefined) return undefined;
  if (shape === 'scalar') return 'text and numbers have no fields';
  if ('items' in shape) return 'a list has no fields: use exists, all, filter or map';
  return Object.hasOwn(shape.fields, field)
    ? undefined
    : `known here: ${Object.keys(shape.fields).join(', ')}`;
}

export const fieldShape = (shape: Shape, field: string): Shape =>
  typeof shape === 'object' && 'fields' in shape ? shape.fields[field] : undefined;

export const itemShape = (shape: Shape): Shape =>
  typeof shape === 'object' && 'items' in shape ? shape.items : undefined;
