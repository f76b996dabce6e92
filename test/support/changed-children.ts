import { DerReader } from '../../src/verification/x509/der.ts';
import { encodeDer } from '../../src/verification/x509/encode-der.ts';

/** A constructed element with its children, each whole, changed. */
export function withChildren(der: Uint8Array, change: (children: Uint8Array[]) => Uint8Array[]): Uint8Array {
  const { tag, content } = new DerReader(der).read();
  return encodeDer(tag, ...change([...new DerReader(content).rest()].map(({ whole }) => whole)));
}
