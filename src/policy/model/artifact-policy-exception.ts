import { z } from 'zod';
import { imagePattern } from './image-pattern.ts';
import { dateTime, groupVersion, objectMeta, objectName, resourceStatus } from './metadata.ts';
import { mapOf, setOf, withRules } from './rules.ts';

const spec = withRules(
  z.strictObject({
    images: setOf(z.array(imagePattern).min(1).max(64)).describe(
      'Images that are excepted; by digest, or whatever a tag means next is excepted, too.',
    ),
    namespaces: setOf(z.array(objectName).min(1).max(64)).describe(
      'Names of the namespaces in which they are.',
    ),
    policies: mapOf(
      'name',
      z
        .array(
          z.strictObject({
            name: objectName.describe('Name of a ClusterArtifactPolicy.'),
            requirements: setOf(z.array(z.string().min(1).max(63)).min(1).max(16))
              .optional()
              .describe('Names of its requirements, or crossChecks; all of them when absent.'),
          }),
        )
        .min(1)
        .max(16),
    ).describe('Policies, and optionally their requirements, that do not apply.'),
    reason: z.string().min(1).max(1024).describe('Why, for whoever reads it later.'),
    expiresAt: dateTime.describe('When the exception ends.'),
  }),
  [
    {
      rule: "!self.images.exists(image, image == '**')",
      message: 'images must be named: ** would except everything that runs in a namespace',
      holds: ({ images }) => !images.includes('**'),
    },
  ],
).describe('What is excepted from which policies.');

export const artifactPolicyException = z
  .object({
    apiVersion: z.literal(groupVersion),
    kind: z.literal('ArtifactPolicyException'),
    metadata: objectMeta,
    spec,
    status: resourceStatus.optional(),
  })
  .describe('Images that a policy does not judge, in named namespaces, for a reason and a time.');
export type ArtifactPolicyException = z.output<typeof artifactPolicyException>;
