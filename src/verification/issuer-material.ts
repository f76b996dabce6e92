import { failure, toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import type { KeyIssuer, KeylessIssuer, NotationIssuer, ResolvedIssuer } from '../policy/resolved-issuer.ts';
import { compilePattern } from './identity.ts';
import { parsePublicKey } from './keys.ts';
import { compileNotationIssuer } from './notation/compiled-issuer.ts';
import { parseTrustedRoot } from './sigstore/trusted-root.ts';

/**
 * Whether an issuer can verify anything: its key, trusted root and patterns parse, and the root holds what the issuer
 * demands. Policies are checked with it when they are compiled, so that a broken one is named before an image is judged.
 */
export function checkIssuerMaterial(issuer: ResolvedIssuer): Failure | undefined {
  try {
    switch (issuer.kind) {
      case 'key':
        return checkKeyIssuer(issuer);
      case 'keyless':
        return checkKeylessIssuer(issuer);
      case 'notation':
        return checkNotationIssuer(issuer);
    }
  } catch (thrown) {
    const { code, message } = toFailure(thrown);
    return failure(code, `Issuer ${issuer.name}: ${message}`);
  }
}

function checkKeyIssuer({ name, pem, transparencyLog, trustedRoot }: KeyIssuer): Failure | undefined {
  parsePublicKey(pem);
  if (trustedRoot === undefined) {
    return transparencyLog === 'NotRequired'
      ? undefined
      : failure(
          'TrustMaterialMissing',
          `Issuer ${name} requires a transparency log and has no trusted root.`,
        );
  }
  const { tlogs, timestampAuthorities } = parseTrustedRoot(trustedRoot.json, 'trusted root');
  if (transparencyLog === 'Required' && tlogs.length === 0) return lacking(name, 'transparency log');
  return tlogs.length === 0 && timestampAuthorities.length === 0
    ? lacking(name, 'transparency log or timestamp authority')
    : undefined;
}

function checkKeylessIssuer(issuer: KeylessIssuer): Failure | undefined {
  const { name, identities, trustedRoot, sct, transparencyLog, signedTimestamp } = issuer;
  if (identities.length === 0) return failure('IssuerInvalid', `Issuer ${name} names no identity.`);
  for (const { subject, extensions } of identities) {
    if (subject === undefined && extensions.length === 0) {
      return failure(
        'IssuerInvalid',
        `Issuer ${name} has an identity without subject and extensions: anybody could sign.`,
      );
    }
    for (const rule of [
      ...(subject === undefined ? [] : [subject]),
      ...extensions.map((entry) => entry.rule),
    ]) {
      if ('pattern' in rule) compilePattern(rule.pattern);
    }
  }
  const root = parseTrustedRoot(trustedRoot.json, 'trusted root');
  if (root.certificateAuthorities.length === 0) return lacking(name, 'certificate authority');
  if (sct === 'Required' && root.ctlogs.length === 0) return lacking(name, 'certificate transparency log');
  if (transparencyLog === 'Required' && root.tlogs.length === 0) return lacking(name, 'transparency log');
  if (signedTimestamp === 'Required' && root.timestampAuthorities.length === 0)
    return lacking(name, 'timestamp authority');
  if (root.tlogs.length === 0 && root.timestampAuthorities.length === 0) {
    return lacking(name, 'transparency log or timestamp authority');
  }
  return undefined;
}

function checkNotationIssuer(issuer: NotationIssuer): Failure | undefined {
  const { stores } = compileNotationIssuer(issuer);
  return stores.ca.length === 0 && stores.signingAuthority.length === 0
    ? failure('IssuerInvalid', `Issuer ${issuer.name} has no trust store of the type ca or signingAuthority.`)
    : undefined;
}

const lacking = (name: string, what: string): Failure =>
  failure('TrustMaterialInvalid', `The trusted root of issuer ${name} has no usable ${what}.`);
