import { VerificationError } from '@sigstore/verify';
import { RefwardenError } from '../../failures/failure.ts';
import type { FailureCode } from '../../failures/catalogue.ts';

/** What the library throws, as a failure of ours. Its own texts are not repeated: they hold parts of the artifact. */
export function libraryFailure(thrown: unknown): RefwardenError {
  if (thrown instanceof RefwardenError) return thrown;
  if (!(thrown instanceof VerificationError)) {
    return new RefwardenError(
      'PayloadInvalid',
      'A certificate, log entry or timestamp of the signature does not parse.',
      thrown,
    );
  }
  const [code, message] = describe(thrown);
  return new RefwardenError(code, message, thrown);
}

function describe({ code, message }: VerificationError): [FailureCode, string] {
  switch (code) {
    case 'TIMESTAMP_ERROR':
      return [
        'TrustedTimeMissing',
        'No log entry or signed timestamp of the trusted root says when it was signed.',
      ];
    case 'CERTIFICATE_ERROR':
      return message.includes('SCT')
        ? [
            'CertificateTransparencyMissing',
            'The signing certificate has no valid SCT of a log of the trusted root.',
          ]
        : [
            'CertificateInvalid',
            'The signing certificate does not chain to the trusted root, or was not valid when it signed.',
          ];
    case 'SIGNATURE_ERROR':
      return ['SignatureInvalid', 'The signature does not verify over the signed content.'];
    case 'PUBLIC_KEY_ERROR':
      return ['SignerNotTrusted', 'The key was not valid when it signed.'];
    default:
      return [
        'TransparencyLogMissing',
        'The log entry does not verify, or was made for another signature or content.',
      ];
  }
}
