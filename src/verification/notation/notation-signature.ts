import { RefwardenError } from '../../failures/failure.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Manifest } from '../../oci/manifest.ts';
import type { NotationIssuer } from '../../policy/resolved-issuer.ts';
import type { ArtifactForm } from '../artifact-form.ts';
import { excerpt } from '../excerpt.ts';
import type { Rejection } from '../verification.ts';
import type { CertificateChain } from './certificate-rules.ts';
import { CompiledIssuers } from './compiled-issuer.ts';
import { coseMediaType, parseCoseEnvelope } from './cose-envelope.ts';
import { jwsMediaType, parseJwsEnvelope } from './jws-envelope.ts';
import { parseNotationCertificate } from './notation-certificate.ts';
import type { SignedEnvelope } from './signed-envelope.ts';
import { verifyNotationSignature } from './verify-notation-signature.ts';

const artifactType = 'application/vnd.cncf.notary.signature';

const parsers: Readonly<Record<string, (bytes: Uint8Array) => SignedEnvelope>> = {
  [jwsMediaType]: parseJwsEnvelope,
  [coseMediaType]: parseCoseEnvelope,
};

/** How a signature of the Notary Project lies in an artifact (signature-specification.md "OCI Signatures"). */
export const notationLayout = {
  isOfType: (manifest: Manifest): boolean => manifest.artifactType === artifactType,
  /** The one layer with the envelope. The thumbprints in the annotations are hints and are not read. */
  layers(manifest: Manifest): readonly Descriptor[] {
    return notationLayout.isOfType(manifest) && layoutProblem(manifest) === undefined ? manifest.layers : [];
  },
  refusal(manifest: Manifest): Rejection | undefined {
    const message = notationLayout.isOfType(manifest) ? layoutProblem(manifest) : undefined;
    return message === undefined ? undefined : { code: 'FormatUnsupported', message, about: 'signature' };
  },
  /** A signature takes some 10 KiB. */
  maxLayerBytes: 512 * 1024,
} as const;

function layoutProblem({ layers }: Manifest): string | undefined {
  const [layer] = layers;
  if (layer === undefined || layers.length > 1) {
    return `A Notation signature has exactly one layer; the artifact has ${layers.length}.`;
  }
  return Object.hasOwn(parsers, layer.mediaType)
    ? undefined
    : `The layer of a Notation signature is ${jwsMediaType} or ${coseMediaType}, not ${excerpt(layer.mediaType)}.`;
}

/** An envelope with its certificates, nothing of it verified. */
export interface ReadSignature {
  readonly envelope: SignedEnvelope;
  readonly chain: CertificateChain;
}

/** @throws RefwardenError `PayloadInvalid`, `CertificateInvalid`. */
export function readNotationSignature(bytes: Uint8Array, { mediaType }: Descriptor): ReadSignature {
  const envelope = parsers[mediaType]?.(bytes);
  if (envelope === undefined)
    throw new RefwardenError('FormatUnsupported', 'The envelope is neither JWS nor COSE.');
  const [leaf, ...authorities] = envelope.certificates.map(parseNotationCertificate);
  if (leaf === undefined) throw new RefwardenError('PayloadInvalid', 'The signature has no certificates.');
  return { envelope, chain: [leaf, ...authorities] };
}

/** Signatures of the Notary Project, by issuers with certificates. */
export function createNotationForm(): ArtifactForm<NotationIssuer> {
  const compiled = new CompiledIssuers();
  return {
    issuerKinds: ['notation'],
    layers: (manifest) => notationLayout.layers(manifest),
    refusal: (manifest) => notationLayout.refusal(manifest),
    // It names size and media type as well.
    needsSubjectDocument: () => true,
    maxLayerBytes: notationLayout.maxLayerBytes,
    async *verifyLayer(bytes, layer, context) {
      const { subjects, subjectDocument: document, issuers, nowMs, revocation } = context;
      const [subject] = subjects;
      const signed = { ...readNotationSignature(bytes, layer), subject, document };
      yield await verifyNotationSignature(signed, issuers, compiled, { nowMs, revocation });
    },
  };
}
