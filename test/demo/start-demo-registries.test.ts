import { describe, expect, it } from 'vitest';
import { demoCases } from '../../src/demo/cases.ts';
import { archiveHost } from '../../src/demo/demo-addresses.ts';
import { startRegistry } from '../../src/demo/registry/start-registry.ts';
import { startDemoRegistries } from '../../src/demo/start-demo-registries.ts';
import { parseImageReference } from '../../src/image/reference.ts';

/** Free ports: the fixed ones belong to demo.test.ts. */
const anyPorts = { shop: 0, archive: 0 };

describe('startDemoRegistries', () => {
  it('serves every image of the demo but the missing one, from the registry that its name says', async () => {
    await using registries = await startDemoRegistries(anyPorts);
    for (const { image } of demoCases) {
      const { registry, repository, tag, digest } = parseImageReference(image);
      const { url } = registry === archiveHost ? registries.archive : registries.shop;
      const answer = await fetch(`${url}/v2/${repository}/manifests/${digest ?? tag ?? ''}`);
      expect(answer.status, image).toBe(repository === 'shop/missing' ? 404 : 200);
    }
  });

  it('offers the referrers API in one and the references API in the other', async () => {
    await using registries = await startDemoRegistries(anyPorts);
    const { shop, archive } = registries;
    const status = async (url: string): Promise<number> => (await fetch(url)).status;
    const web = shop.store.resolveTag('shop/web', '1.0') ?? '';
    const child = archive.store.resolveTag('shop/multi-arch', '1.0-amd64') ?? '';
    expect(await status(`${shop.url}/v2/shop/web/referrers/${web}`)).toBe(200);
    expect(await status(`${shop.url}/v2/shop/web/manifests/${web}/references`)).toBe(404);
    expect(await status(`${archive.url}/v2/shop/multi-arch/referrers/${child}`)).toBe(404);
    expect(await status(`${archive.url}/v2/shop/multi-arch/manifests/${child}/references`)).toBe(200);
  });

  it('lets go of the first port when the second is taken', async () => {
    await using taken = await startRegistry({ mechanisms: { references: false, referrers: false } });
    await using free = await startRegistry({ mechanisms: { references: false, referrers: false } });
    const portOf = (host: string): number => Number(host.split(':')[1]);
    const ports = { shop: portOf(free.host), archive: portOf(taken.host) };
    await free.close();
    await expect(startDemoRegistries(ports)).rejects.toMatchObject({
      code: 'ConfigurationInvalid',
      message: `The embedded registry cannot start: ${taken.host} is taken by another process.`,
    });
    await expect(fetch(`${free.url}/v2/`)).rejects.toThrow('fetch failed');
  });
});
