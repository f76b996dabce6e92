import { failure, toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import type { KeyIssuer, KeylessIssuer, NotationIssuer, ResolvedIssuer } from '../policy/resolved-issuer.ts';
import { compilePattern } from './identity.ts';
import { parsePublicKey } from './keys.ts';
import { compileNotationIssuer } from './notation/compiled-issuer.ts';
import { demandsOf } from './sigstore/demands.ts';
import type { Demands } from './sigstore/demands.ts';
import { parseTrustedRoot } from './sigstore/trusted-root.ts';
import type { TrustedRoot } from './sigstore/trusted-root.ts';

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

function checkKeyIssuer(issuer: KeyIssuer): Failure | undefined {
  const { name, pem, trustedRoot } = issuer;
  parsePublicKey(pem);
  const demands = demandsOf(issuer);
  if (trustedRoot === undefined) {
    return demands.transparencyLog + demands.signedTimestamp === 0
      ? undefined
      : failure(
          'TrustMaterialMissing',
          `Issuer ${name} requires a transparency log or timestamp and has no trusted root.`,
        );
  }
  return checkRoot(name, parseTrustedRoot(trustedRoot.json, 'trusted root'), demands);
}

function checkKeylessIssuer(issuer: KeylessIssuer): Failure | undefined {
  const { name, identities, trustedRoot } = issuer;
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
  return checkRoot(name, root, demandsOf(issuer));
}

/** Whether the root can meet the demands: it must know as many distinct logs and authorities, and one that says when. */
function checkRoot(
  name: string,
  { ctlogs, tlogs, timestampAuthorities }: TrustedRoot,
  demands: Demands,
): Failure | undefined {
  const logs = (all: typeof tlogs): number => new Set(all.map(({ logID }) => logID.toString('hex'))).size;
  const authorities = new Set(
    timestampAuthorities.map(({ certChain: [leaf] }) => leaf?.publicKey.toString('hex')),
  ).size;
  const checks = [
    ['certificate transparency log', logs(ctlogs), demands.sct],
    ['transparency log', logs(tlogs), demands.transparencyLog],
    ['timestamp authority', authorities, demands.signedTimestamp],
    ['transparency log or timestamp authority', logs(tlogs) + authorities, 1],
  ] as const;
  for (const [what, found, wanted] of checks) {
    if (found === 0 && wanted > 0) return lacking(name, what);
    if (found < wanted) {
      return failure(
        'TrustMaterialInvalid',
        `The trusted root of issuer ${name} counts ${found} as distinct ${what}, and ${wanted} are required.`,
      );
    }
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
