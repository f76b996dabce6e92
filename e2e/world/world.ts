import type { Mechanism } from '../../src/policy/evidence.ts';
import type { SampleImages } from '../images/sample-image.ts';

/** What is made once for a run; the test files receive it by `inject('world')`. */
export interface World {
  readonly kubeconfigPath: string;
  /** The cluster as the ServiceAccount of the chart sees it: what the tests run as Refwarden has these rights and no others. */
  readonly serviceKubeconfigPath: string;
  readonly webhookHost: string;
  readonly registries: readonly SampleRegistry[];
  /** Trust material and issuers, as resources: what `installRefwarden` applies. */
  readonly trust: readonly object[];
  /** `iss` of the tokens that the keyless signatures were made with. */
  readonly oidcIssuer: string;
  /** Holds `release.key` and `stranger.key`, for images that a test signs itself. */
  readonly keysDirectory: string;
}

export interface SampleRegistry {
  readonly name: string;
  /** How signatures without a tag of their own are found there. */
  readonly mechanism: Mechanism;
  readonly host: string;
  readonly images: SampleImages;
}

declare module 'vitest' {
  interface ProvidedContext {
    readonly world: World;
  }
}
