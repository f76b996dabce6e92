import { failure, toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import { printable } from '../failures/printable.ts';
import type { Digest } from '../image/digest.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Manifest } from '../oci/manifest.ts';
import type { VerifiedEvidence } from '../policy/evidence.ts';
import type { BareFormat } from './bare-form.ts';
import type { Claim } from './claim.ts';
import { excerpt } from './excerpt.ts';
import { readClaimedNotationSignature } from './notation/claimed-notation-signature.ts';
import { notationLayout } from './notation/notation-signature.ts';
import { parseSigningCertificate } from './signing-certificate.ts';
import { sigstoreBundle } from './sigstore/bundle.ts';
import { cosignAttestations } from './sigstore/cosign-attestations.ts';
import type { SignedEntity } from './sigstore/signed-entity.ts';
import type { SigstoreForm } from './sigstore/sigstore-form.ts';
import { simpleSigning } from './sigstore/simple-signing.ts';
import { hintedFingerprint } from './sigstore/verify-signature.ts';

/** Most subjects that a message names. */
const maxNamedSubjects = 3;

/** Of the forms that are signed themselves. */
export type SignedFormat = Exclude<VerifiedEvidence['format'], BareFormat>;

/** A form as far as its signatures can be read without verifying them. */
interface ReadableForm {
  layers(manifest: Manifest): readonly Descriptor[];
  needsSubjectDocument(manifest: Manifest): boolean;
  /** @throws RefwardenError when the layer as a whole cannot be read. */
  read(bytes: Uint8Array, layer: Descriptor, subject: SignedSubject): readonly ClaimedSignature[];
}

const forms: Readonly<Record<SignedFormat, ReadableForm>> = {
  CosignSimpleSigning: readable(simpleSigning),
  SigstoreBundle: readable(sigstoreBundle),
  DsseEnvelope: readable(cosignAttestations),
  NotationSignature: {
    layers: (manifest) => notationLayout.layers(manifest),
    needsSubjectDocument: () => false,
    read(bytes, layer, { digest }) {
      const { subject, root, readTarget } = readClaimedNotationSignature(bytes, layer);
      const signer = { kind: 'certificate', subject, issuer: root } as const;
      return [
        readSignature(
          () => signer,
          () => ({ kind: 'signature', subjects: [readTarget()] }),
          digest,
        ),
      ];
    },
  },
};

function readable(form: SigstoreForm): ReadableForm {
  return {
    layers: (manifest) => form.layers(manifest),
    needsSubjectDocument: (manifest) => form.needsSubjectDocument(manifest),
    read: (bytes, layer, subject) =>
      form
        .parseLayer(bytes, layer, subject)
        .map(({ entity, readClaim }) =>
          readSignature(() => claimedSigner(entity), readClaim, subject.digest),
        ),
  };
}

/** Who a signature says made it. Every text is printable and bounded. */
export type ClaimedSigner =
  /** `fingerprint` is `sha256:<hex>` of the DER SubjectPublicKeyInfo; else `hint` is what the artifact says of its key. */
  | { readonly kind: 'key'; readonly fingerprint: string }
  | { readonly kind: 'key'; readonly hint: string }
  | { readonly kind: 'certificate'; readonly subject: string; readonly issuer: string };

/** What one signature says of itself. Nothing of it is verified: anybody could have written it. */
export interface ClaimedSignature {
  /** Absent when the payload cannot be read. */
  readonly kind?: VerifiedEvidence['kind'];
  readonly predicateType?: string;
  /** Absent when it does not say: signatures of a key need not. */
  readonly signer?: ClaimedSigner;
  /** Why it could not count, as far as that can be told without verification. */
  readonly flaw?: Failure;
}

/** The layers of an artifact that hold signatures of a form that is verified here, in the order of the manifest. */
export interface SignatureLayers {
  readonly format: SignedFormat;
  readonly layers: readonly Descriptor[];
  /** Whether they may cover the subject's own bytes. */
  readonly needsDocument: boolean;
}

/** By the manifest alone; undefined when it holds no such signature. */
export function signatureLayers(manifest: Manifest): SignatureLayers | undefined {
  for (const [format, form] of Object.entries(forms)) {
    const layers = form.layers(manifest);
    if (layers.length > 0) {
      const needsDocument = form.needsSubjectDocument(manifest);
      return { format: format as SignedFormat, layers, needsDocument };
    }
  }
  return undefined;
}

/** What is signed, as the reader knows it. */
export interface SignedSubject {
  readonly digest: Digest;
  /** Its bytes: some signatures cover them. */
  readonly document?: Uint8Array;
}

/** Reads the signatures of one layer for what they say. Never throws for what they hold. */
export function readClaimedSignatures(
  format: SignedFormat,
  bytes: Uint8Array,
  layer: Descriptor,
  subject: SignedSubject,
): readonly ClaimedSignature[] {
  try {
    return forms[format].read(bytes, layer, subject);
  } catch (thrown) {
    return [{ flaw: shown(toFailure(thrown)) }];
  }
}

function readSignature(
  readSigner: () => ClaimedSigner | undefined,
  readClaim: () => Claim,
  digest: Digest,
): ClaimedSignature {
  const flaws: Failure[] = [];
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (thrown) {
      flaws.push(shown(toFailure(thrown)));
      return undefined;
    }
  };
  const signer = attempt(readSigner);
  const claim = attempt(readClaim);
  if (claim?.flaw !== undefined) flaws.push(shown(claim.flaw));
  if (claim !== undefined && !claim.subjects.includes(digest)) flaws.push(otherSubject(claim.subjects));
  const [flaw] = flaws;
  return {
    ...(claim === undefined ? {} : { kind: claim.kind }),
    ...(claim?.predicateType === undefined ? {} : { predicateType: excerpt(claim.predicateType) }),
    ...(signer === undefined ? {} : { signer }),
    ...(flaw === undefined ? {} : { flaw }),
  };
}

/** @throws RefwardenError `CertificateInvalid`. */
function claimedSigner(entity: SignedEntity): ClaimedSigner | undefined {
  if (entity.certificate !== undefined) {
    const { issuer, subjects } = parseSigningCertificate(entity.certificate);
    return { kind: 'certificate', subject: excerpt(subjects.join(', ')), issuer: excerpt(issuer) };
  }
  const fingerprint = hintedFingerprint(entity);
  if (fingerprint !== undefined) return { kind: 'key', fingerprint };
  const { keyHint = '' } = entity;
  return keyHint === '' ? undefined : { kind: 'key', hint: excerpt(keyHint) };
}

function otherSubject(subjects: readonly string[]): Failure {
  const named = subjects.slice(0, maxNamedSubjects).map(excerpt).join(', ');
  const more = subjects.length > maxNamedSubjects ? ` and ${subjects.length - maxNamedSubjects} more` : '';
  return failure('SubjectMismatch', `The payload names ${named === '' ? 'nothing' : named}${more}.`);
}

/** Without its cause, and fit to be shown. */
const shown = ({ code, message }: Failure): Failure => failure(code, printable(message));
