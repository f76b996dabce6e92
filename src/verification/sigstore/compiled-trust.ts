import { LRUCache } from 'lru-cache';
import type { TrustedRootMaterial } from '../../policy/resolved-issuer.ts';
import { compilePattern } from '../identity.ts';
import type { WholeMatch } from '../identity.ts';
import { parsePublicKey } from '../keys.ts';
import type { PublicKey } from '../keys.ts';
import { parseTrustedRoot } from './trusted-root.ts';
import type { TrustedRoot } from './trusted-root.ts';

/** Entries kept of each kind; a cluster has tens of issuers. */
const maxCompiledKeys = 1000;
const maxCompiledRoots = 50;
const maxCompiledPatterns = 1000;

/** Parsed keys, trusted roots and patterns, kept by what they were parsed from. Failures are not kept. */
export class CompiledTrust {
  readonly #keys = new LRUCache<string, PublicKey>({ max: maxCompiledKeys });
  readonly #roots = new LRUCache<string, TrustedRoot>({ max: maxCompiledRoots });
  readonly #patterns = new LRUCache<string, WholeMatch>({ max: maxCompiledPatterns });

  /** @throws RefwardenError `IssuerInvalid`. */
  key(pem: string): PublicKey {
    return remember(this.#keys, pem, () => parsePublicKey(pem));
  }

  /** @throws RefwardenError `TrustMaterialInvalid`. */
  root({ json, fingerprint }: TrustedRootMaterial): TrustedRoot {
    return remember(this.#roots, fingerprint, () => parseTrustedRoot(json, `trusted root ${fingerprint}`));
  }

  /** @throws RefwardenError `IssuerInvalid`. */
  readonly pattern = (text: string): WholeMatch => remember(this.#patterns, text, () => compilePattern(text));
}

function remember<Value extends object>(
  cache: LRUCache<string, Value>,
  key: string,
  make: () => Value,
): Value {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const made = make();
  cache.set(key, made);
  return made;
}
