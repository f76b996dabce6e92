import { RefwardenError } from '../failures/failure.ts';
import type { Mechanism } from '../policy/evidence.ts';
import type { Mechanisms } from './registry/route-context.ts';

/** Mechanisms that a registry has to offer, by the names that settings of registries use. */
const apis: readonly Mechanism[] = ['References', 'Referrers', 'Oras'];
/** Mechanisms that are ordinary tags, kept by the tools: every registry has them. */
const tags: readonly Mechanism[] = ['FallbackTag', 'CosignTag'];

export interface ServedMechanisms {
  readonly mechanisms: Mechanisms;
  /** Everything by which artifacts are found there, tags included. */
  readonly names: readonly string[];
}

/**
 * Reads a comma-separated list of mechanisms. Tags may be named and change nothing: alone, they stand for a registry
 * without any API for discovery.
 * @throws RefwardenError `ConfigurationInvalid` for a name that is none, an empty list included.
 */
export function parseMechanisms(list: string): ServedMechanisms {
  const asked = list.split(',').map((name) => name.trim());
  const known: readonly string[] = [...apis, ...tags];
  const unknown = asked.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    const shown = unknown.map((name) => JSON.stringify(name)).join(', ');
    throw new RefwardenError(
      'ConfigurationInvalid',
      `No such mechanism: ${shown}. There are: ${known.join(', ')}.`,
    );
  }
  return {
    mechanisms: {
      references: asked.includes('References'),
      referrers: asked.includes('Referrers'),
      ...(asked.includes('Oras') ? { oras: ['draft', 'rc'] } : {}),
    },
    names: [...apis.filter((api) => asked.includes(api)), ...tags],
  };
}
