import { excerpt } from '../excerpt.ts';
import { attributeNames } from './signed-envelope.ts';
import type { ProtectedAttributes } from './signed-envelope.ts';

/** How signing times come about (signing-scheme.md). */
export const schemes = { x509: 'notary.x509', signingAuthority: 'notary.x509.signingAuthority' } as const;

/** What must be marked critical wherever it is present; nothing else of the specification may be. */
const critical: ReadonlySet<string> = new Set([
  attributeNames.signingScheme,
  attributeNames.authenticSigningTime,
  attributeNames.expiry,
]);
const pluginAttributes: ReadonlySet<string> = new Set([
  attributeNames.verificationPlugin,
  attributeNames.verificationPluginMinVersion,
]);

// The rules of signature-specification.md "Signed Attributes". Each says what is wrong, or nothing.

export function schemeProblem({ signingScheme }: ProtectedAttributes): string | undefined {
  return Object.values<string>(schemes).includes(signingScheme)
    ? undefined
    : `The signing scheme ${JSON.stringify(excerpt(signingScheme))} is unknown.`;
}

/** Each scheme has a time of its own, and not the other's. */
export function signingTimeProblem(attributes: ProtectedAttributes): string | undefined {
  const { signingScheme, signingTimeMs, authenticSigningTimeMs } = attributes;
  const isAuthority = signingScheme === schemes.signingAuthority;
  const [wanted, other] = isAuthority
    ? [authenticSigningTimeMs, signingTimeMs]
    : [signingTimeMs, authenticSigningTimeMs];
  const names = [attributeNames.signingTime, attributeNames.authenticSigningTime];
  const [wantedName = '', otherName = ''] = isAuthority ? names.toReversed() : names;
  if (wanted === undefined) return `The scheme ${signingScheme} needs ${wantedName}.`;
  return other === undefined ? undefined : `The scheme ${signingScheme} excludes ${otherName}.`;
}

/** notation refuses it alike. */
export function expiryOrderProblem(attributes: ProtectedAttributes): string | undefined {
  const { signingTimeMs, authenticSigningTimeMs, expiryMs } = attributes;
  const signedMs = signingTimeMs ?? authenticSigningTimeMs;
  return expiryMs !== undefined && signedMs !== undefined && expiryMs <= signedMs
    ? 'The signature expires before it was made.'
    : undefined;
}

/** What must be critical is listed; what is listed is there, once, and may be critical. */
export function criticalListProblem({ critical: listed, present }: ProtectedAttributes): string | undefined {
  const unlisted = present.find((name) => critical.has(name) && !listed.includes(name));
  if (unlisted !== undefined) return `${unlisted} is not marked critical.`;
  const absent = listed.find((name) => !present.includes(name));
  if (absent !== undefined) {
    return `${shown(absent)} is marked critical, and is absent or a header of the format itself.`;
  }
  const twice = listed.find((name, index) => listed.indexOf(name) !== index);
  if (twice !== undefined) return `${shown(twice)} is marked critical twice.`;
  return listed.includes(attributeNames.signingTime)
    ? `${attributeNames.signingTime} is marked critical, and it may not be.`
    : undefined;
}

/** A plugin is part of the verification; it is not run here, and to go on without it would be to skip its part. */
export function pluginProblem({ present }: ProtectedAttributes): string | undefined {
  return present.some((name) => pluginAttributes.has(name))
    ? 'The signature asks for a verification plugin of Notation, and plugins are not supported: sign without it.'
    : undefined;
}

export function unknownCriticalProblem({ critical: listed }: ProtectedAttributes): string | undefined {
  const unknown = listed.find((name) => !critical.has(name));
  return unknown === undefined ? undefined : `The critical attribute ${shown(unknown)} is not understood.`;
}

const shown = (name: string): string => JSON.stringify(excerpt(name));
