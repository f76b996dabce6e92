import { TrustedRoot as TrustedRootMessage } from '@sigstore/protobuf-specs';
import { toTrustMaterial } from '@sigstore/verify';
import type { TrustMaterial } from '@sigstore/verify';
import { RefwardenError } from '../../failures/failure.ts';
import { parseStrictJsonText } from '../../oci/strict-json.ts';
import { checkPurpose } from '../timestamp/verify-timestamp-token.ts';
import { parseCertificate } from '../x509/certificate.ts';

/**
 * Longest trusted root, in characters: what a file or ConfigMap holds; inline in a TrustedIssuer fits a quarter of it. The
 * public-good instance's takes 7,000.
 */
const maxTrustedRootLength = 1024 * 1024;
const mediaTypePattern =
  /^application\/vnd\.dev\.sigstore\.trustedroot(?:\+json;version=0\.[12]|\.v0\.[12]\+json)$/;

/** Certificate authorities, logs and timestamp authorities, parsed. */
export type TrustedRoot = TrustMaterial;

/**
 * Parses a Sigstore trusted root (protobuf-specs sigstore_trustroot.proto, JSON form).
 * @param where names the source in messages, for example `ConfigMap acme-root, key trusted_root.json`.
 * @throws RefwardenError `TrustMaterialInvalid`.
 */
export function parseTrustedRoot(json: string, where: string): TrustedRoot {
  const refuse = (what: string, cause?: unknown): never => {
    throw new RefwardenError('TrustMaterialInvalid', `${where}: ${what}.`, cause);
  };
  if (json.length > maxTrustedRootLength) refuse(`longer than ${maxTrustedRootLength} characters`);
  const parsed = parseStrictJsonText(json, where, 'TrustMaterialInvalid');
  let message: TrustedRootMessage;
  let root: TrustedRoot;
  try {
    message = TrustedRootMessage.fromJSON(parsed);
    root = toTrustMaterial(message);
  } catch (cause) {
    return refuse('does not parse as a Sigstore trusted root', cause);
  }
  if (!mediaTypePattern.test(message.mediaType)) refuse('is not a Sigstore trusted root by its mediaType');
  // The library would read a missing start as "valid since ever".
  for (const { publicKey } of [...message.tlogs, ...message.ctlogs]) {
    if (publicKey?.validFor?.start === undefined) refuse('has a log whose key has no validFor.start');
  }
  for (const { validFor } of [...message.certificateAuthorities, ...message.timestampAuthorities]) {
    if (validFor?.start === undefined) refuse('has an authority that has no validFor.start');
  }
  for (const { certChain } of [...root.certificateAuthorities, ...root.timestampAuthorities]) {
    if (certChain.length === 0) refuse('has an authority without certificates');
  }
  const timestampAuthorities = message.timestampAuthorities.flatMap(({ certChain }, index) => {
    const authority = root.timestampAuthorities[index];
    const leaf = certChain?.certificates[0]?.rawBytes;
    return authority !== undefined && leaf !== undefined && isTimestampSigner(leaf) ? [authority] : [];
  });
  return { ...root, timestampAuthorities };
}

/** The library takes the first certificate for the signer of timestamps and does not look at its purpose. */
function isTimestampSigner(der: Uint8Array): boolean {
  try {
    checkPurpose(parseCertificate(der, 'A timestamp authority'));
    return true;
  } catch {
    return false;
  }
}
