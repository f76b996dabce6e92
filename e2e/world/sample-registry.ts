import { inject } from 'vitest';
import type { SampleRegistry } from './world.ts';

/** The registry for cases in which it does not matter which. */
export function sampleRegistry(): SampleRegistry {
  const [registry] = inject('world').registries;
  if (registry === undefined) throw new Error('the global setup made no registry');
  return registry;
}
