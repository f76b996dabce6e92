/**
 * What distinguishes connections: each value has pools of its own, so that what was authenticated for one is never
 * used for another. Compared by identity.
 */
export interface Connection {
  /** PEM: the authorities that are trusted, instead of the public ones. */
  readonly ca?: string;
  /** PEM: the client certificate with its chain, and its key. */
  readonly cert?: string;
  readonly key?: string;
  /** Connects on our behalf, by CONNECT; the operator named it, so that its address may be any. */
  readonly proxy?: URL;
}

/** Public authorities, no certificate of our own, no proxy. */
export const direct: Connection = {};
