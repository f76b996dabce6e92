export type VexStatus = 'notAffected' | 'affected' | 'fixed' | 'underInvestigation';

/** What expressions see of an OpenVEX document: all statements, by their status. */
export interface VexView extends Readonly<Record<VexStatus, readonly VexStatement[]>> {
  readonly author: string;
  readonly timestamp: string;
}

export interface VexStatement {
  readonly vulnerability: string;
  readonly products: readonly string[];
  /** Parts of the products that the statement is about. */
  readonly subcomponents: readonly string[];
  /** Empty when there is none. */
  readonly justification: string;
  /** Its own, else that of the document. */
  readonly timestamp: string;
}
