import type { Demand, KeyIssuer, KeylessIssuer, Thresholds } from '../../policy/resolved-issuer.ts';

/** How many distinct logs and authorities must vouch for a signature; 0 demands none. */
export type Demands = Readonly<Record<keyof Thresholds, number>>;

export function demandsOf(issuer: KeyIssuer | KeylessIssuer): Demands {
  const { transparencyLog, signedTimestamp = 'NotRequired', thresholds = {} } = issuer;
  const count = (demand: Demand, threshold = 1): number => (demand === 'Required' ? threshold : 0);
  return {
    sct: issuer.kind === 'keyless' ? count(issuer.sct, thresholds.sct) : 0,
    transparencyLog: count(transparencyLog, thresholds.transparencyLog),
    signedTimestamp: count(signedTimestamp, thresholds.signedTimestamp),
  };
}
