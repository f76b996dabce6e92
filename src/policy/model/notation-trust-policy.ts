import { z } from 'zod';
import { trustStoreTypes } from '../resolved-issuer.ts';
import { objectName } from './metadata.ts';
import { exactlyOneOf, textOf, withRules } from './rules.ts';
import type { SchemaRule } from './rules.ts';
import { configMapKey, trustFile } from './trust-material.ts';

const maxTrustStores = 8;
/** Longest PEM within a resource, in characters; that of a file or ConfigMap may be longer. */
const maxInlinePemLength = 64 * 1024;

const trustStoreFields = z.strictObject({
  type: z
    .enum(trustStoreTypes)
    .describe(
      'What its certificates are of: signers (ca), signing authorities, or timestamp authorities (tsa). Signatures of one scheme never lead to a store of the other.',
    ),
  configMap: z
    .strictObject({
      name: objectName.describe('Name of the ConfigMap.'),
      key: configMapKey
        .default('ca.crt')
        .describe('Key of the ConfigMap that holds the certificates in PEM.'),
    })
    .optional()
    .describe('A ConfigMap of the release namespace.'),
  inline: z.string().min(1).max(maxInlinePemLength).optional().describe('Certificates in PEM.'),
  file: trustFile.optional(),
});
type TrustStore = z.output<typeof trustStoreFields>;
const trustStore = withRules(trustStoreFields, [exactlyOneOf<TrustStore>('configMap', 'inline', 'file')]);

const enforceOrLog = z.enum(['enforce', 'log']);
const overrideFields = z.strictObject({
  authenticity: enforceOrLog
    .optional()
    .describe('Whether an identity that is trusted signed. With log, anybody may have signed.'),
  authenticTimestamp: enforceOrLog
    .optional()
    .describe('Whether it was signed while the certificates were valid. With log, expired ones count.'),
  expiry: enforceOrLog
    .optional()
    .describe('Whether the time until which the signature is to count has not passed.'),
  revocation: z
    .enum(['enforce', 'log', 'skip'])
    .optional()
    .describe(
      'Whether no certificate of the signer is revoked. With skip, nobody is asked. Revoked timestamp authorities belong to authenticTimestamp.',
    ),
});
const override = withRules(overrideFields, [
  {
    rule: '[has(self.authenticity), has(self.authenticTimestamp), has(self.expiry), has(self.revocation)].exists(given, given)',
    message: 'override must name a validation',
    holds: (value) => Object.values(value).some((action) => action !== undefined),
  },
]);

const trustedIdentity = textOf(
  z.string().min(1).max(1024),
  /^(?:\*|x509\.subject:.*[^ ].*)$/,
  'must be x509.subject: and a distinguished name, for example x509.subject: C=US, ST=WA, O=Vendor, or * alone',
);

const notationFields = z.strictObject({
  level: z
    .enum(['strict', 'permissive', 'audit'])
    .default('strict')
    .describe(
      'What must hold beside the integrity of the signature. strict: everything. permissive: authenticity; timestamps, expiry and revocation are only recorded. audit: nothing, so that a signature by anybody at all counts.',
    ),
  override: override
    .optional()
    .describe('What single validations do, whatever the level says; integrity is always enforced.'),
  trustStores: z
    .array(trustStore)
    .min(1)
    .max(maxTrustStores)
    .describe('Certificates that the chain of a signature, or of its timestamp, must lead to.'),
  trustedIdentities: z
    .array(trustedIdentity)
    .min(1)
    .max(16)
    .describe(
      'Subjects of signing certificates, for example x509.subject: C=US, ST=WA, O=Vendor, with at least these three; each attribute must be in the subject of the certificate. Or * alone: whoever has a certificate that leads to a trust store, be it meant for signing images or not.',
    ),
  verifyTimestamp: z
    .enum(['always', 'afterCertExpiry'])
    .optional()
    .describe(
      'With a tsa trust store, when a timestamp must be there and verify: always, which is the default, or only once a certificate has expired.',
    ),
});
type Notation = z.output<typeof notationFields>;

const hasStore = (notation: Notation, ...types: readonly TrustStore['type'][]): boolean =>
  notation.trustStores.some(({ type }) => types.includes(type));

const rules: readonly SchemaRule<Notation>[] = [
  {
    rule: "self.trustStores.exists(store, store.type != 'tsa')",
    message: 'trustStores must have one of type ca or signingAuthority: a tsa store says only when',
    holds: (notation) => hasStore(notation, 'ca', 'signingAuthority'),
  },
  {
    rule: "!self.trustStores.exists(store, store.type == 'tsa') || self.trustStores.exists(store, store.type == 'ca')",
    message: 'a trust store of type tsa is for signatures that lead to one of type ca',
    holds: (notation) => !hasStore(notation, 'tsa') || hasStore(notation, 'ca'),
  },
  {
    rule: "size(self.trustedIdentities) == 1 || !('*' in self.trustedIdentities)",
    message: 'trustedIdentities: * stands alone',
    holds: ({ trustedIdentities }) => trustedIdentities.length === 1 || !trustedIdentities.includes('*'),
  },
  {
    rule: "!has(self.verifyTimestamp) || self.trustStores.exists(store, store.type == 'tsa')",
    message: 'verifyTimestamp needs a trust store of type tsa',
    holds: (notation) => notation.verifyTimestamp === undefined || hasStore(notation, 'tsa'),
  },
];

/** A trust policy of the Notary Project (trust-store-trust-policy.md), without its scopes: policies name images. */
export const notation = withRules(notationFields, rules).describe(
  'An identity of Notation, trusted as by a trust policy of the Notary Project.',
);
export type NotationTrustPolicy = Notation;
export type TrustStoreReference = TrustStore;
