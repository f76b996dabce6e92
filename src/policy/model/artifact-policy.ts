import { z } from 'zod';
import { imagePattern } from './image-pattern.ts';
import { groupVersion, objectMeta, resourceStatus } from './metadata.ts';
import { assertion, requirement } from './requirement.ts';
import { repositoryReference, tag } from './repository-reference.ts';
import { mapOf, setOf, withRules } from './rules.ts';

const imagePatterns = z.array(imagePattern).max(64);
const modes = ['Enforce', 'Warn', 'Audit'] as const;
export type Mode = (typeof modes)[number];

const maxMatchLabels = 32;
const labelText = z.string().max(63);
const labelKey = z.string().min(1).max(317);

const labelSelector = z
  .strictObject({
    matchLabels: z
      .record(z.string(), labelText)
      .refine((labels) => Object.keys(labels).length <= maxMatchLabels, `at most ${maxMatchLabels} labels`)
      .meta({ maxProperties: maxMatchLabels })
      .optional()
      .describe('Labels that the namespace must have, each with this very value.'),
    matchExpressions: z
      .array(
        withRules(
          z.strictObject({
            key: labelKey.describe('Key of a label.'),
            operator: z
              .enum(['In', 'NotIn', 'Exists', 'DoesNotExist'])
              .describe('How the value of the label relates to the values.'),
            values: z.array(labelText).max(64).optional().describe('Given for In and NotIn alone.'),
          }),
          [
            {
              rule: "self.operator in ['In', 'NotIn'] ? has(self.values) && size(self.values) > 0 : !has(self.values) || size(self.values) == 0",
              message: 'In and NotIn take values, Exists and DoesNotExist take none',
              holds: ({ operator, values }) =>
                operator === 'In' || operator === 'NotIn'
                  ? (values?.length ?? 0) > 0
                  : (values?.length ?? 0) === 0,
            },
          ],
        ),
      )
      .max(16)
      .optional()
      .describe('Further conditions on the labels; each must hold.'),
  })
  .describe('Selects namespaces by their labels; absent selects all.');

const namespacedFields = z.strictObject({
  mode: z
    .enum(modes)
    .default('Enforce')
    .describe(
      'Enforce, which is the default, refuses the workload; Warn admits it with a warning, Audit only records.',
    ),
  workloads: z
    .enum(['Pods', 'All'])
    .default('All')
    .describe(
      'All, which is the default, judges pod templates too, so that a Deployment is refused and not only its Pods.',
    ),
  images: imagePatterns
    .min(1)
    .describe(
      'Images that this policy judges: host/path, * within a segment, ** across, for example ghcr.io/acme/**; ** alone is all.',
    ),
  excludeImages: withRules(imagePatterns, [
    {
      rule: "!('**' in self)",
      message: '** leaves out every image, so that the policy judges nothing',
      holds: (patterns) => !patterns.includes('**'),
    },
  ])
    .optional()
    .describe('Images that this policy leaves out.'),
  onInconclusive: z
    .enum(['Deny', 'Admit'])
    .default('Deny')
    .describe(
      'What happens when a check cannot be judged because the registry is down or does not answer in time; whatever else leaves a check open is denied.',
    ),
  require: mapOf('name', z.array(requirement).min(1).max(16)).describe('All must be satisfied.'),
  evidenceRepositories: setOf(z.array(repositoryReference).min(1).max(8))
    .optional()
    .describe(
      'Further repositories in which artifacts of the images are looked for, beside their own: host/path, for example ghcr.io/acme/signatures. Each is asked with its own credentials.',
    ),
  indexTags: setOf(z.array(tag).min(1).max(8))
    .optional()
    .describe(
      "Tags of the image's repository whose indexes may contain it, so that a signature of the index is found for an image that is named by the digest of one platform.",
    ),
  crossChecks: z
    .array(assertion)
    .min(1)
    .max(8)
    .optional()
    .describe(
      'Expressions (CEL) over what satisfied the requirements, all of it at once: signatures, attestations, sbom, provenance, vulnerabilities, vex, image, workload, namespaceObject. Where there are several of a kind, all must hold for one choice of them.',
    ),
});

const clusterFields = z.strictObject({ ...namespacedFields.shape, namespaces: labelSelector.optional() });

export const clusterArtifactPolicy = z
  .object({
    apiVersion: z.literal(groupVersion),
    kind: z.literal('ClusterArtifactPolicy'),
    metadata: objectMeta,
    spec: clusterFields.describe('Which images are judged, and what they must carry.'),
    status: resourceStatus.optional(),
  })
  .describe('What images must carry, across namespaces.');

export const artifactPolicy = z
  .object({
    apiVersion: z.literal(groupVersion),
    kind: z.literal('ArtifactPolicy'),
    metadata: objectMeta,
    spec: namespacedFields.describe('Which images are judged, and what they must carry.'),
    status: resourceStatus.optional(),
  })
  .describe(
    'What images must carry in the namespace of the policy; it adds to cluster policies and never relaxes them.',
  );

export type ClusterArtifactPolicy = z.output<typeof clusterArtifactPolicy>;
export type ArtifactPolicy = z.output<typeof artifactPolicy>;
/** The namespace that a policy is of; kubectl gives it the same one where it names none. */
export const namespaceOf = ({ metadata }: ArtifactPolicy): string => metadata.namespace ?? 'default';
export type NamespaceSelector = z.output<typeof labelSelector>;

const onlyMode = z.object({ spec: z.object({ mode: z.enum(modes) }) });

/** The mode of a policy that may not parse otherwise; Enforce where that does not either. */
export function modeOf(policy: unknown): Mode {
  return onlyMode.safeParse(policy).data?.spec.mode ?? 'Enforce';
}
