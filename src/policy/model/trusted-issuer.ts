import { z } from 'zod';
import { compileRe2, maxIdentityInstructions, maxPatternLength } from '../re2.ts';
import { maxPemLength } from '../resolved-issuer.ts';
import { certificateExtensions, extensionNames } from './certificate-extensions.ts';
import { githubIdentity } from './github-identity.ts';
import { dateTime, groupVersion, objectMeta, objectName, resourceStatus } from './metadata.ts';
import { notation } from './notation-trust-policy.ts';
import { exactlyOneOf, textOf, withCheck, withRules } from './rules.ts';
import { demand, thresholdsNeedDemands, thresholdsOf } from './thresholds.ts';
import { configMapKey, trustFile } from './trust-material.ts';

const maxIdentities = 16;
/** Longest trusted root within a resource, in characters; that of a file or ConfigMap may be longer. */
const maxInlineRootLength = 256 * 1024;
const exactText = z.string().min(1).max(2048);

/** TUF repositories whose first root ships with Refwarden. */
export const wellKnownMirrors = ['https://tuf-repo-cdn.sigstore.dev', 'https://tuf-repo.github.com'] as const;
export type WellKnownMirror = (typeof wellKnownMirrors)[number];

/** Undefined where the root has to be given with the URL. */
export function wellKnownMirror(url: string): WellKnownMirror | undefined {
  return wellKnownMirrors.find((mirror) => url === mirror || url === `${mirror}/`);
}

const notRe2 = 'must be a regular expression of RE2';

/** A regular expression of RE2, to the API server's own and to the one that is used here. */
const re2 = withCheck(
  z.string().min(1).max(maxPatternLength),
  (text) => {
    try {
      compileRe2(text, maxIdentityInstructions);
      return undefined;
    } catch {
      return notRe2;
    }
  },
  [{ rule: "''.matches(self) || !''.matches(self)", message: notRe2 }],
);

const tufFields = z.strictObject({
  mirror: z
    .string()
    .min(1)
    .max(2048)
    .regex(/^https?:\/\/[A-Za-z0-9._:[\]-]+(\/[A-Za-z0-9._~/-]*)?$/)
    .describe('URL of the TUF repository, as in https://tuf.example.com; its targets are below targets/.'),
  root: z
    .string()
    .min(2)
    .max(maxInlineRootLength)
    .optional()
    .describe(
      'The root.json to start from, as JSON text. Sigstore and GitHub publish one that ships with Refwarden.',
    ),
  target: z
    .string()
    .min(1)
    .max(253)
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/)
    .default('trusted_root.json')
    .describe('Name of the target that is the Sigstore trusted root.'),
});
const tuf = withRules(tufFields, [
  {
    rule: `has(self.root) || [${wellKnownMirrors.flatMap((mirror) => [`'${mirror}'`, `'${mirror}/'`]).join(', ')}].exists(known, known == self.mirror)`,
    message: `root must be given, but for ${wellKnownMirrors.join(' and ')}`,
    holds: ({ mirror, root }: z.output<typeof tufFields>) =>
      root !== undefined || wellKnownMirror(mirror) !== undefined,
  },
]).describe('A TUF repository that is read in the background, so that rotations are followed.');

const trustedRootFields = z.strictObject({
  builtIn: z
    .enum(['PublicGood', 'GitHub'])
    .optional()
    .describe(
      "A root that ships with Refwarden: PublicGood is the public Sigstore instance, GitHub is GitHub's own, which signs for private repositories.",
    ),
  inline: z
    .string()
    .min(2)
    .max(maxInlineRootLength)
    .optional()
    .describe('A Sigstore trusted root as JSON text.'),
  configMap: z
    .strictObject({
      name: objectName.describe('Name of the ConfigMap.'),
      key: configMapKey
        .default('trusted_root.json')
        .describe('Key of the ConfigMap that holds the Sigstore trusted root.'),
    })
    .optional()
    .describe('A ConfigMap of the release namespace.'),
  file: trustFile.optional(),
  tuf: tuf.optional(),
});
const trustedRoot = withRules(trustedRootFields, [
  exactlyOneOf<z.output<typeof trustedRootFields>>('builtIn', 'inline', 'configMap', 'file', 'tuf'),
]).describe('Certificate authorities, transparency logs and timestamp authorities that are trusted.');

const keyFields = z.strictObject({
  pem: z
    .string()
    .min(1)
    .max(maxPemLength)
    .describe(
      'Public key in PEM (SubjectPublicKeyInfo): ECDSA P-256, P-384 or P-521, RSA of 2048 bits or more, Ed25519.',
    ),
  transparencyLog: demand
    .default('NotRequired')
    .describe('Whether a signature must be in a transparency log of the trusted root.'),
  signedTimestamp: demand
    .default('NotRequired')
    .describe('Whether a signature must have a timestamp of a timestamp authority of the trusted root.'),
  thresholds: thresholdsOf('transparencyLog', 'signedTimestamp'),
  trustedRoot: trustedRoot
    .optional()
    .describe('Transparency log and timestamp authorities that may date its signatures.'),
  notBefore: dateTime
    .optional()
    .describe(
      'Signatures that a log entry or timestamp dates earlier do not count. One that nothing dates counts as made now.',
    ),
  notAfter: dateTime
    .optional()
    .describe(
      'Signatures made later do not count. One without a log entry or timestamp that says when counts as made now.',
    ),
});
const key = withRules(keyFields, [
  ...thresholdsNeedDemands('transparencyLog', 'signedTimestamp'),
  {
    rule: '!has(self.notBefore) || !has(self.notAfter) || self.notBefore < self.notAfter',
    message: 'notBefore must be earlier than notAfter',
    holds: ({ notBefore, notAfter }) =>
      notBefore === undefined || notAfter === undefined || Date.parse(notBefore) < Date.parse(notAfter),
  },
]).describe('A public key.');

/** How a pattern for any subject is written. */
const everySubject: readonly string[] = ['.*', '.+', '^.*$', '^.+$', '^.*', '.*$', '(.*)', '(.+)'];

const identity = withRules(
  z.strictObject({
    issuer: textOf(
      z.string().min(1).max(2048),
      /^(?:https:\/\/[^\s]|http:\/\/(?:localhost|127[.]0[.]0[.]1)[:/])/,
      'must be a URL of https, for example https://accounts.google.com',
    ).describe('OIDC issuer, compared exactly.'),
    subject: exactText.optional().describe('Subject alternative name of the certificate, compared exactly.'),
    subjectPattern: re2
      .optional()
      .describe('RE2 regular expression that must match the whole subject alternative name.'),
    extensions: certificateExtensions.optional(),
  }),
  [
    {
      rule: '!(has(self.subject) && has(self.subjectPattern))',
      message: 'subject and subjectPattern exclude each other',
      holds: (value) => value.subject === undefined || value.subjectPattern === undefined,
    },
    {
      rule: 'has(self.subject) || has(self.subjectPattern) || has(self.extensions)',
      message: 'an issuer alone accepts everybody it knows: give subject, subjectPattern or extensions',
      holds: (value) =>
        value.subject !== undefined || value.subjectPattern !== undefined || value.extensions !== undefined,
    },
    {
      rule: `!has(self.subjectPattern) || has(self.extensions) || !(self.subjectPattern in [${everySubject.map((text) => `'${text}'`).join(', ')}])`,
      message: 'subjectPattern accepts everybody whom the issuer knows',
      holds: ({ subjectPattern, extensions }) =>
        subjectPattern === undefined || extensions !== undefined || !everySubject.includes(subjectPattern),
    },
    {
      rule: `!has(self.extensions) || ${extensionNames.map((name) => `has(self.extensions.${name})`).join(' || ')}`,
      message: 'extensions must name at least one extension',
      holds: (value) =>
        value.extensions === undefined || Object.values(value.extensions).some((text) => text !== undefined),
    },
  ],
);

const keylessFields = z.strictObject({
  identities: z
    .array(identity)
    .min(1)
    .max(maxIdentities)
    .optional()
    .describe('Any one of these signs for the issuer.'),
  github: githubIdentity.optional(),
  trustedRoot: trustedRoot.optional().describe('The public Sigstore instance when absent.'),
  sct: demand
    .optional()
    .describe(
      'Proof that the certificate is in a certificate transparency log. Required when absent, but for builtIn: GitHub, which has no such log.',
    ),
  transparencyLog: demand
    .default('NotRequired')
    .describe(
      'An entry of a transparency log. A trusted time from a log or a timestamp authority is always required.',
    ),
  signedTimestamp: demand
    .default('NotRequired')
    .describe('A timestamp of a timestamp authority of the trusted root.'),
  thresholds: thresholdsOf('sct', 'transparencyLog', 'signedTimestamp'),
});
const keyless = withRules(keylessFields, [
  exactlyOneOf<z.output<typeof keylessFields>>('identities', 'github'),
  ...thresholdsNeedDemands('sct', 'transparencyLog', 'signedTimestamp'),
  {
    // GitHub's own instance has no certificate transparency log: sct is NotRequired there where nothing is said.
    rule: "!has(self.thresholds) || !has(self.thresholds.sct) || has(self.sct) || !has(self.trustedRoot) || !has(self.trustedRoot.builtIn) || self.trustedRoot.builtIn != 'GitHub'",
    message: 'thresholds.sct takes sct: Required, which builtIn: GitHub does not have by default',
    holds: ({ thresholds, sct, trustedRoot: root }) =>
      thresholds?.sct === undefined || sct !== undefined || root?.builtIn !== 'GitHub',
  },
]).describe('An identity proven by a short-lived certificate (Sigstore keyless).');

const specFields = z.strictObject({
  key: key.optional(),
  keyless: keyless.optional(),
  notation: notation.optional(),
});
const trustedIssuerSpec = withRules(specFields, [
  exactlyOneOf<z.output<typeof specFields>>('key', 'keyless', 'notation'),
]).describe('Exactly one way to know who signed.');

export const trustedIssuer = z
  .object({
    apiVersion: z.literal(groupVersion),
    kind: z.literal('TrustedIssuer'),
    metadata: objectMeta,
    spec: trustedIssuerSpec,
    status: resourceStatus.optional(),
  })
  .describe('Who is trusted: a key, a keyless identity or a Notation identity. Policies name it.');

export type TrustedIssuer = z.output<typeof trustedIssuer>;
export type TrustedRootReference = z.output<typeof trustedRoot>;
