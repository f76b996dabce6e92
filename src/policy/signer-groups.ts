import { signerIdentities } from './evidence.ts';
import type { Signer } from './evidence.ts';

/**
 * Tells which of the signers are one: those that share an identity, or are joined by others that do. The name of a group
 * means nothing beyond this list.
 */
export function signerGroups(signers: readonly Signer[]): (signer: Signer) => string {
  const above = new Map<string, string>();
  const rootOf = (identity: string): string => {
    let root = identity;
    for (let next = above.get(root); next !== undefined; next = above.get(root)) root = next;
    return root;
  };
  for (const signer of signers) {
    const [first, ...others] = signerIdentities(signer);
    for (const other of others) {
      const [one, another] = [rootOf(first), rootOf(other)];
      if (one !== another) above.set(another, one);
    }
  }
  return (signer) => rootOf(signerIdentities(signer)[0]);
}
