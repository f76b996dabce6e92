import { archivePort, demoAddress, shopPort } from './demo-addresses.ts';
import { startRegistry } from './registry/start-registry.ts';
import type { EmbeddedRegistry } from './registry/start-registry.ts';
import { loadSample } from './sample.ts';
import type { Sample } from './sample.ts';
import api from './samples/api.json' with { type: 'json' };
import keyless from './samples/keyless.json' with { type: 'json' };
import multiArch from './samples/multi-arch.json' with { type: 'json' };
import noSbom from './samples/no-sbom.json' with { type: 'json' };
import sbom from './samples/sbom.json' with { type: 'json' };
import stranger from './samples/stranger.json' with { type: 'json' };
import transplanted from './samples/transplanted.json' with { type: 'json' };
import unsigned from './samples/unsigned.json' with { type: 'json' };
import web from './samples/web.json' with { type: 'json' };

const shopSamples: readonly Sample[] = [api, web, keyless, sbom, noSbom, unsigned, stranger, transplanted];
const archiveSamples: readonly Sample[] = [multiArch];

export interface DemoRegistries extends AsyncDisposable {
  /** 127.0.0.1:5601, with the referrers API. */
  readonly shop: EmbeddedRegistry;
  /** 127.0.0.1:5602, with the references API only. */
  readonly archive: EmbeddedRegistry;
  close(): Promise<void>;
}

/** 0 takes a free port; the sample policies select the images of the default ports only. */
export interface DemoPorts {
  readonly shop: number;
  readonly archive: number;
}

/**
 * Both registries of the demo, filled with the samples. Everyone on this machine may push to them.
 * @throws RefwardenError `ConfigurationInvalid` when one of the ports is taken.
 */
export async function startDemoRegistries(
  ports: DemoPorts = { shop: shopPort, archive: archivePort },
): Promise<DemoRegistries> {
  const shop = await startRegistry({
    host: demoAddress,
    port: ports.shop,
    mechanisms: { references: false, referrers: true },
  });
  let archive: EmbeddedRegistry | undefined;
  const close = async (): Promise<void> => {
    await Promise.all([shop.close(), archive?.close()]);
  };
  try {
    archive = await startRegistry({
      host: demoAddress,
      port: ports.archive,
      mechanisms: { references: true, referrers: false },
    });
    for (const sample of shopSamples) loadSample(shop.store, sample);
    for (const sample of archiveSamples) loadSample(archive.store, sample);
  } catch (error) {
    await close();
    throw error;
  }
  return { shop, archive, close, [Symbol.asyncDispose]: close };
}
