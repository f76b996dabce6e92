import { LRUCache } from 'lru-cache';
import type { NotationIssuer, TrustStoreMaterial } from '../../policy/resolved-issuer.ts';
import type { NotationCertificate } from './notation-certificate.ts';
import { parseTrustStore } from './trust-store.ts';
import { compileTrustedIdentities } from './trusted-identities.ts';
import type { TrustedIdentities } from './trusted-identities.ts';
import { actionsOf } from './verification-level.ts';

/** Issuers kept compiled; a cluster has tens. */
const maxCompiledIssuers = 100;

/** An issuer with its certificates and identities parsed. */
export interface CompiledIssuer {
  readonly issuer: NotationIssuer;
  readonly actions: ReturnType<typeof actionsOf>;
  readonly stores: Readonly<Record<TrustStoreMaterial['type'], readonly NotationCertificate[]>>;
  readonly identities: TrustedIdentities;
}

/** @throws RefwardenError `IssuerInvalid`, `TrustMaterialInvalid`. */
export function compileNotationIssuer(issuer: NotationIssuer): CompiledIssuer {
  const storesOf = (type: TrustStoreMaterial['type']): NotationCertificate[] =>
    issuer.trustStores.filter((store) => store.type === type).flatMap(parseTrustStore);
  return {
    issuer,
    actions: actionsOf(issuer),
    identities: compileTrustedIdentities(issuer.trustedIdentities),
    stores: { ca: storesOf('ca'), signingAuthority: storesOf('signingAuthority'), tsa: storesOf('tsa') },
  };
}

/** Compiled issuers, kept by their fingerprint. Failures are not kept. */
export class CompiledIssuers {
  readonly #compiled = new LRUCache<string, CompiledIssuer>({ max: maxCompiledIssuers });

  /** @throws RefwardenError as {@link compileNotationIssuer}. */
  of(issuer: NotationIssuer): CompiledIssuer {
    const key = JSON.stringify([issuer.name, issuer.fingerprint]);
    const known = this.#compiled.get(key);
    if (known !== undefined) return known;
    const compiled = compileNotationIssuer(issuer);
    this.#compiled.set(key, compiled);
    return compiled;
  }
}
