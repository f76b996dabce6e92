import { z } from 'zod';
import { maxPlatformLength, platformPattern } from '../../oci/platform.ts';
import { sbomFormats } from '../evidence.ts';
import { objectName } from './metadata.ts';
import { exactlyOneOf, setOf, textOf, withRules } from './rules.ts';
import type { SchemaRule } from './rules.ts';

const maxIssuers = 16;
const maxPlatforms = 64;

const issuers = setOf(z.array(objectName).min(1).max(maxIssuers)).describe(
  'Names of TrustedIssuers; any one of them satisfies.',
);

/** `90s`, `15m`, `12h`, `30d`. */
const maxAge = textOf(
  z.string().max(8),
  /^[1-9][0-9]{0,5}[smhd]$/,
  'must be a number and its unit: 90s, 15m, 12h or 30d',
).describe(
  'Greatest age by the trusted time of signing; only keyless issuers can meet it, for example 90s, 15m, 12h or 30d.',
);

export const assertion = z.strictObject({
  expression: z.string().min(1).max(4096).describe('CEL; must be true.'),
  message: z.string().min(1).max(1024).describe('Shown when it is not.'),
});
const assert = z
  .array(assertion)
  .min(1)
  .max(16)
  .describe(
    'Expressions (CEL) over the verified content, each of which must be true of one and the same attestation: predicate, predicateType, sbom, provenance, vulnerabilities, vex, image, workload, namespaceObject.',
  );

/** Stands for every platform. */
export const allPlatforms = 'All' as const;

const platforms = setOf(
  z
    .array(
      textOf(
        z.string().min(1).max(maxPlatformLength),
        new RegExp(`^(?:${allPlatforms}|${platformPattern})$`),
        'must be os/architecture[/variant], for example linux/amd64, or All',
      ),
    )
    .min(1)
    .max(maxPlatforms),
)
  .optional()
  .describe(
    'For an index that does not satisfy by itself: every child for these platforms must, for example linux/amd64; [All] is every child that runs. Nodes of other platforms run what nobody judged.',
  );

const allAlone: SchemaRule<{ readonly platforms?: readonly string[] | undefined }> = {
  rule: "!has(self.platforms) || size(self.platforms) == 1 || !('All' in self.platforms)",
  message: 'platforms: All stands alone',
  holds: ({ platforms: names = [] }) => names.length <= 1 || !names.includes(allPlatforms),
};

const signatureFields = z.strictObject({
  issuers,
  minimumIssuers: z
    .number()
    .int()
    .min(1)
    .max(maxIssuers)
    .default(1)
    .describe('How many distinct issuers, with distinct keys or identities, must have signed.'),
  inheritFromIndex: z
    .boolean()
    .default(true)
    .describe(
      'Whether a signature of an index that contains the image counts. Such indexes are those seen before, that of the tag beside a digest, those under indexTags, and what the References and TagScan mechanisms find where a registry is configured for them.',
    ),
  platforms,
});

const signature = withRules(signatureFields, [
  allAlone,
  {
    rule: '!has(self.minimumIssuers) || self.minimumIssuers <= size(self.issuers)',
    message: 'minimumIssuers is more than there are issuers',
    holds: (value) => value.minimumIssuers <= value.issuers.length,
  },
]).describe('A signature of the image (cosign, Sigstore bundle, Notation).');

const sbomFields = z.strictObject({
  formats: z
    .array(z.enum(sbomFormats))
    .min(1)
    .max(sbomFormats.length)
    .describe('Accepted formats: SPDX 2.2 and 2.3, CycloneDX 1.2 to 1.7, as JSON.'),
  issuers,
  maxAge: maxAge.optional(),
  platforms,
  assert: assert.optional(),
});

const sbom = withRules(sbomFields, [allAlone]).describe(
  'An SBOM of the image: attested, or attached as it is and covered by a signature of what was attached.',
);

/** What `cosign attest --type` takes in place of a type; no attestation says one of these. */
const cosignTypes: readonly string[] = [
  'slsaprovenance',
  'slsaprovenance02',
  'slsaprovenance1',
  'link',
  'spdx',
  'spdxjson',
  'cyclonedx',
  'vuln',
  'openvex',
  'custom',
];

const attestationFields = z.strictObject({
  predicateType: withRules(z.string().min(1).max(2048), [
    {
      rule: `!(self in [${cosignTypes.map((name) => `'${name}'`).join(', ')}])`,
      message:
        'is a short name of cosign: give the type that the attestation says, for example https://slsa.dev/provenance/v1 (cosign verify-attestation prints it)',
      holds: (type) => !cosignTypes.includes(type),
    },
  ]).describe('Compared exactly, for example https://slsa.dev/provenance/v1.'),
  issuers,
  maxAge: maxAge.optional(),
  platforms,
  assert: assert.optional(),
});
const attestation = withRules(attestationFields, [allAlone]).describe(
  'An in-toto attestation of the image: in a signed envelope, or as it is and covered by a signature of what holds it.',
);

const pinned = z.literal(true).describe('The workload must name the image by digest.');

const alternativeFields = z.strictObject({
  signature: signature.optional(),
  sbom: sbom.optional(),
  attestation: attestation.optional(),
  pinned: pinned.optional(),
});
type AlternativeFields = z.output<typeof alternativeFields>;

/** One alternative of anyOf: the same kinds, each given alone. */
const alternative = withRules(alternativeFields, [
  exactlyOneOf<AlternativeFields>('signature', 'sbom', 'attestation', 'pinned'),
]);

const requirementFields = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(63)
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
    .describe('Names the requirement in answers and exceptions.'),
  ...alternativeFields.shape,
  anyOf: z
    .array(alternative)
    .min(1)
    .max(4)
    .optional()
    .describe('Any one of these satisfies, of whatever kinds.'),
});
type RequirementFields = z.output<typeof requirementFields>;

/** What a policy asks of an image. A new verifier adds its kind here. */
export const requirement = withRules(requirementFields, [
  exactlyOneOf<RequirementFields>('signature', 'sbom', 'attestation', 'pinned', 'anyOf'),
]);

export type Requirement = z.output<typeof requirement>;
export type Alternative = AlternativeFields;

/** What a requirement asks: itself, or any of its `anyOf`. */
export const alternativesOf = (asked: Requirement): readonly Alternative[] => [asked, ...(asked.anyOf ?? [])];
