import { exploreArtifacts } from '../admission/explore-artifacts.ts';
import { RequestTrace } from '../admission/request-trace.ts';
import type { Explorer, TreeOptions } from '../cli/commands.ts';
import { createArtifactSource } from '../referrers/artifact-source.ts';
import { loadSettings, openContents } from './open-contents.ts';

export async function openExplorer(options: TreeOptions): Promise<Explorer> {
  const { store, credentials, close } = await openContents(options, await loadSettings(options));
  const artifacts = createArtifactSource(store);
  return {
    explore: (image, signal, onProgress) => {
      const access = { tenant: 'tree', credentials, signal, trace: new RequestTrace() };
      return exploreArtifacts(artifacts, image, access, onProgress);
    },
    close: async () => {
      await artifacts.close();
      await close();
    },
  };
}
