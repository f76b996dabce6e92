import { z } from 'zod';
import { compileImagePattern } from '../../image/pattern.ts';
import { imagePattern } from './image-pattern.ts';
import { dateTime, groupVersion, objectMeta, objectName, resourceStatus } from './metadata.ts';
import { mapOf, setOf, withRules } from './rules.ts';

/** Stands for every requirement of a policy; the name of one is in lower case. */
export const allRequirements = 'All' as const;

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
          withRules(
            z.strictObject({
              name: objectName.describe('Name of a ClusterArtifactPolicy.'),
              requirements: setOf(z.array(z.string().min(1).max(63)).min(1).max(16)).describe(
                'Names of its requirements, or crossChecks; [All] is all of them.',
              ),
            }),
            [
              {
                rule: `size(self.requirements) == 1 || !('${allRequirements}' in self.requirements)`,
                message: 'requirements: All stands alone',
                holds: ({ requirements }) =>
                  requirements.length <= 1 || !requirements.includes(allRequirements),
              },
            ],
          ),
        )
        .min(1)
        .max(16),
    ).describe('Policies, and of each the requirements, that do not apply.'),
    reason: z.string().min(1).max(1024).describe('Why, for whoever reads it later.'),
    expiresAt: dateTime.describe('When the exception ends.'),
  }),
  [
    {
      rule: "self.images.all(image, image != '**' && !image.matches('^(?:[*]|[^/]*[*][^/]*[.:][^/]*|[^/]*[.:][^/]*[*][^/]*)/'))",
      message: 'images must name their host: ** or */** would except everything that runs in a namespace',
      holds: ({ images }) => images.every(namesHost),
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

/** One that does not compile is refused for that. */
function namesHost(image: string): boolean {
  try {
    return compileImagePattern(image).registry !== undefined;
  } catch {
    return true;
  }
}
