import type { Engine } from '../cli/commands.ts';
import { createTrustSource } from '../trust/trust-source.ts';
import { openChecker } from './open-checker.ts';
import { openExplorer } from './open-explorer.ts';
import { startDemo, startDemoRegistry } from './start-demo.ts';
import { serve } from './start-service.ts';
import { removeRegistered, webhooks } from './webhooks.ts';

/** Wires the rooms together; nothing is decided here. */
export function createEngine(): Engine {
  return {
    openChecker,
    openExplorer,
    serve,
    webhooks,
    startDemo,
    startDemoRegistry,
    removeWebhooks: removeRegistered,
    publicGoodRoot: () => createTrustSource({}).material({ kind: 'builtIn', name: 'PublicGood' }),
  };
}
