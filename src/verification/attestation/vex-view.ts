export const vexStatuses = ['notAffected', 'affected', 'fixed', 'underInvestigation'] as const;
export type VexStatus = (typeof vexStatuses)[number];

/** What expressions see of an OpenVEX document: all statements, by their status. */
export interface VexView extends Readonly<Record<VexStatus, readonly VexStatement[]>> {
  readonly author: string;
  readonly timestamp: string;
}

export interface VexStatement {
  readonly vulnerability: string;
  readonly products: readonly string[];
  /** Empty when there is none. */
  readonly justification: string;
  /** Its own, else that of the document. */
  readonly timestamp: string;
}
