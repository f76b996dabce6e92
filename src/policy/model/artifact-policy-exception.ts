import { z } from 'zod';
import { imagePattern } from './image-pattern.ts';
import { dateTime, groupVersion, objectMeta, objectName, resourceStatus } from './metadata.ts';
import { withRules } from './rules.ts';

const spec = withRules(
  z.strictObject({
    images: z.array(imagePattern).min(1).max(64).describe('Images that are excepted.'),
    namespaces: z.array(objectName).min(1).max(64).describe('Namespaces in which they are.'),
    policies: z
      .array(
        z.strictObject({
          name: objectName.describe('Name of a ClusterArtifactPolicy.'),
          requirements: z
            .array(z.string().min(1).max(63))
            .min(1)
            .max(16)
            .optional()
            .describe('Names of its requirements; all of them when absent.'),
        }),
      )
      .min(1)
      .max(16)
      .describe('Policies, and optionally their requirements, that do not apply.'),
    reason: z.string().min(1).max(1024).describe('Why, for whoever reads it later.'),
    expiresAt: dateTime.describe('When the exception ends.'),
  }),
  [
    {
      rule: '!has(self.reason)',
      message: 'ArtifactPolicyException is not built in this version of Refwarden',
      holds: () => false,
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
