import type { Clock } from '../admission/ports.ts';

export const clock: Clock = { nowMs: () => Date.now() };
