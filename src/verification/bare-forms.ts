import { bareStatement } from './attestation/bare-statement.ts';
import type { BareForm, BareFormat } from './bare-form.ts';
import { bareSbom } from './sbom/bare-sbom.ts';

/** Every form that counts only under vouchers: leaving one out does not compile. */
export const bareForms: { readonly [Format in BareFormat]: BareForm & { readonly format: Format } } = {
  BareStatement: bareStatement,
  BareSbom: bareSbom,
};
