import { createHash } from 'node:crypto';
import {
  BUNDLE_V01_MEDIA_TYPE,
  BUNDLE_V02_MEDIA_TYPE,
  BUNDLE_V03_LEGACY_MEDIA_TYPE,
  BUNDLE_V03_MEDIA_TYPE,
  bundleFromJSON,
} from '@sigstore/bundle';
import type { Bundle, MessageSignature } from '@sigstore/bundle';
import { dsse } from '@sigstore/core';
import { HashAlgorithm } from '@sigstore/protobuf-specs';
import { RefwardenError } from '../../failures/failure.ts';
import { matchesDigest } from '../../image/digest.ts';
import type { Digest } from '../../image/digest.ts';
import { parseStrictJson } from '../../oci/strict-json.ts';
import { parseStatement } from '../attestation/in-toto-statement.ts';
import type { SignedEntity } from './signed-entity.ts';
import type { SignedClaim, SigstoreForm, WantedSubject } from './sigstore-form.ts';

/** Most JSON values of a bundle: its payload is one, an inclusion proof some 70. */
const maxBundleValues = 10_000;

type Envelope = Extract<Bundle['content'], { readonly $case: 'dsseEnvelope' }>['dsseEnvelope'];

const mediaTypes: ReadonlySet<string | undefined> = new Set([
  BUNDLE_V01_MEDIA_TYPE,
  BUNDLE_V02_MEDIA_TYPE,
  BUNDLE_V03_LEGACY_MEDIA_TYPE,
  BUNDLE_V03_MEDIA_TYPE,
]);
/** cosign says here what the bundle holds; a wrong word makes a message signature fail, and lets nothing pass. */
const contentAnnotation = 'dev.sigstore.bundle.content';
/** Most certificates of a bundle's chain (before v0.3); only the first is used. */
const maxChainCertificates = 8;

/** Sigstore bundle v0.1 to v0.3 as a referrer (cosign specs/BUNDLE_SPEC.md): a DSSE statement or a message signature. */
export const sigstoreBundle: SigstoreForm = {
  layers({ layers, artifactType }) {
    const typed = layers.filter((layer) => mediaTypes.has(layer.mediaType));
    const found = typed.length === 0 && mediaTypes.has(artifactType) ? layers : typed;
    // Annotations say nothing here: the same bytes again are the same bundle again.
    return [...new Map(found.map((layer) => [layer.digest, layer])).values()];
  },
  needsSubjectDocument: ({ annotations }) => annotations[contentAnnotation] !== 'dsse-envelope',
  maxLayerBytes: 32 * 1024 * 1024,
  parseLayer: (bytes, _layer, subject) => [parseBundleOf(subject, bytes)],
};

/** @throws RefwardenError when the bundle cannot be read, or is a message signature of something else. */
export function parseBundleOf(subject: WantedSubject, bytes: Uint8Array): SignedClaim {
  const bundle = parseBundle(bytes);
  const { content } = bundle;
  return content.$case === 'messageSignature'
    ? parseMessage(bundle, content.messageSignature, subject)
    : parseEnvelope(bundle, content.dsseEnvelope);
}

/**
 * A bundle for something of which nobody has more than its SHA-256, as the conformance suite asks. Admission has the bytes
 * of every manifest, and leaves verifying to node:crypto.
 * @param sha256 `sha256:<hex>`.
 * @throws RefwardenError as {@link parseBundleOf}.
 */
export function parseBundleOfDigest(sha256: Digest, bytes: Uint8Array): SignedClaim {
  const bundle = parseBundle(bytes);
  const { content } = bundle;
  if (content.$case === 'dsseEnvelope') return parseEnvelope(bundle, content.dsseEnvelope);
  const { messageDigest, signature } = content.messageSignature;
  const prehashed = Buffer.from(sha256.slice('sha256:'.length), 'hex');
  if (messageDigest.algorithm !== HashAlgorithm.SHA2_256 || !messageDigest.digest.equals(prehashed)) {
    throw new RefwardenError('SubjectMismatch', `The bundle is for another message than ${sha256}.`);
  }
  const none = new Uint8Array();
  return {
    entity: { ...entityOf(bundle, signature), signedBytes: none, payload: none, prehashed },
    readClaim: () => ({ kind: 'signature', subjects: [sha256] }),
  };
}

function parseEnvelope(bundle: Bundle, { payloadType, payload, signatures }: Envelope): SignedClaim {
  const signature = signatures[0]?.sig ?? Buffer.alloc(0);
  const signedBytes = dsse.preAuthEncoding(payloadType, payload);
  return {
    entity: { ...entityOf(bundle, signature), signedBytes, payload },
    readClaim: () => parseStatement(payloadType, payload),
  };
}

/** A message signature covers the bytes of the manifest itself; node:crypto verifies no ECDSA over a digest alone. */
function parseMessage(
  bundle: Bundle,
  message: MessageSignature,
  { digest: subject, document }: WantedSubject,
): SignedClaim {
  if (document === undefined || subject === undefined || !matchesDigest(document, subject)) {
    throw new RefwardenError(
      'FormatUnsupported',
      'A message signature takes the bytes of the subject, which were not given.',
    );
  }
  const { algorithm, digest } = message.messageDigest;
  const hash = hashNames[algorithm];
  if (hash === undefined) throw new RefwardenError('PayloadInvalid', 'The message digest is not SHA-2.');
  if (!createHash(hash).update(document).digest().equals(digest)) {
    throw new RefwardenError(
      'SubjectMismatch',
      `The bundle is for the message ${hash}:${digest.toString('hex').slice(0, 128)}, not for ${subject}.`,
    );
  }
  return {
    entity: { ...entityOf(bundle, message.signature), signedBytes: document, payload: document },
    readClaim: () => ({ kind: 'signature', subjects: [subject] }),
  };
}

const hashNames: Readonly<Partial<Record<HashAlgorithm, string>>> = {
  [HashAlgorithm.SHA2_256]: 'sha256',
  [HashAlgorithm.SHA2_384]: 'sha384',
  [HashAlgorithm.SHA2_512]: 'sha512',
};

function parseBundle(bytes: Uint8Array): Bundle {
  const json = parseStrictJson(bytes, 'The bundle', 'PayloadInvalid', maxBundleValues);
  let bundle: Bundle;
  try {
    bundle = bundleFromJSON(json);
  } catch (cause) {
    throw new RefwardenError(
      'PayloadInvalid',
      'The bundle does not parse as a Sigstore bundle v0.1 to v0.3.',
      cause,
    );
  }
  if (!mediaTypes.has(bundle.mediaType)) {
    throw new RefwardenError('FormatUnsupported', 'The bundle is of another version than v0.1 to v0.3.');
  }
  return bundle;
}

function entityOf(
  { verificationMaterial }: Bundle,
  signature: Buffer,
): Omit<SignedEntity, 'signedBytes' | 'payload'> {
  const { content, tlogEntries, timestampVerificationData } = verificationMaterial;
  return {
    signature,
    timestampedBytes: signature,
    logEntries: tlogEntries,
    timestamps: (timestampVerificationData?.rfc3161Timestamps ?? []).map(({ signedTimestamp }) =>
      Buffer.from(signedTimestamp),
    ),
    ...signerOf(content),
  };
}

function signerOf(
  content: Bundle['verificationMaterial']['content'],
): Pick<SignedEntity, 'certificate' | 'keyHint'> {
  switch (content.$case) {
    case 'publicKey':
      return { keyHint: content.publicKey.hint };
    case 'certificate':
      return { certificate: content.certificate.rawBytes };
    case 'x509CertificateChain': {
      const { certificates } = content.x509CertificateChain;
      if (certificates.length > maxChainCertificates) {
        throw new RefwardenError(
          'PayloadInvalid',
          `The bundle has more than ${maxChainCertificates} certificates.`,
        );
      }
      const [leaf] = certificates;
      return leaf === undefined ? {} : { certificate: leaf.rawBytes };
    }
  }
}
