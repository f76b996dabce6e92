import type { CompiledException } from '../policy/snapshot.ts';
import type { Turn } from '../scheduling/fair-queue.ts';
import type { RegistryAccess } from './ports.ts';
import type { VerifyPorts } from './verify-candidate.ts';

/** What judging an image takes beside policies. */
export interface JudgingMeans {
  readonly ports: VerifyPorts;
  readonly access: () => Promise<RegistryAccess>;
  /** See `DecisionOptions`; never for templates, which are not pinned. */
  readonly mustBePinned: boolean;
  /** Those of the namespace that have not ended. */
  readonly exceptions: readonly CompiledException[];
  /** Of all images of the workload. */
  readonly turn: Turn;
}
