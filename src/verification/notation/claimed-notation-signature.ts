import type { Descriptor } from '../../oci/descriptor.ts';
import { excerpt } from '../excerpt.ts';
import { nameOf } from './certificate-rules.ts';
import { readNotationSignature } from './notation-signature.ts';
import { parsePayload } from './target-artifact.ts';

/** What a Notation signature says of itself; nothing of it is verified. */
export interface ClaimedNotationSignature {
  /** Subject of its certificate, and of the last one of the chain. */
  readonly subject: string;
  readonly root: string;
  /** @throws RefwardenError `PayloadInvalid`. */
  readonly readTarget: () => string;
}

/** @throws RefwardenError `PayloadInvalid`, `CertificateInvalid`. */
export function readClaimedNotationSignature(bytes: Uint8Array, layer: Descriptor): ClaimedNotationSignature {
  const { envelope, chain } = readNotationSignature(bytes, layer);
  const [leaf] = chain;
  return {
    subject: excerpt(nameOf(leaf)),
    root: excerpt(nameOf(chain.at(-1) ?? leaf)),
    readTarget: () => parsePayload(envelope.payload).digest,
  };
}
