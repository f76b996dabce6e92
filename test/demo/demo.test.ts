import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../src/compose/engine.ts';
import { createPod } from '../../src/demo/create-pod.ts';
import type { WebhookUrls } from '../../src/demo/create-pod.ts';
import { demoCases } from '../../src/demo/cases.ts';
import { writeDemoFiles } from '../../src/demo/demo-files.ts';
import type { DemoFiles } from '../../src/demo/demo-files.ts';
import { startDemoRegistries } from '../../src/demo/start-demo-registries.ts';
import type { DemoRegistries } from '../../src/demo/start-demo-registries.ts';
import { freePort } from '../support/free-port.ts';
import { runCommandLine } from '../support/run-command-line.ts';

/** The fixed ports of the demo are taken by one test file only: this one. */
describe('demo', () => {
  it('answers every case as expected, none that is admitted with more than 5 registry requests', async () => {
    const { code, out } = await runCommandLine('demo', '--once', '--output', 'json');
    const { cases } = JSON.parse(out) as {
      cases: { image: string; expected: string; answer: string; code?: string; requests: number }[];
    };
    expect(cases.map(({ image, answer, code: reason }) => ({ image, answer, reason }))).toEqual(
      demoCases.map(({ image, expected, expectedCode }) => ({
        image,
        answer: expected,
        reason: expectedCode,
      })),
    );
    for (const { image, answer, requests } of cases) {
      expect(requests, image).toBeGreaterThan(0);
      if (answer === 'admitted') expect(requests, image).toBeLessThanOrEqual(5);
    }
    expect(code).toBe(0);
  });

  it('says which port is taken when a demo runs already', async () => {
    await using running = await startDemoRegistries();
    const { code, err } = await runCommandLine('demo', '--once');
    expect(running.shop.host).toBe('127.0.0.1:5601');
    expect(code).toBe(2);
    expect(err).toContain(
      'ConfigurationInvalid: The embedded registry cannot start: 127.0.0.1:5601 is taken',
    );
  });
});

describe('webhook over the demo registries', () => {
  let registries: DemoRegistries;
  let files: DemoFiles;
  let urls: WebhookUrls;
  let served: Promise<void>;
  const ending = new AbortController();

  beforeAll(async () => {
    registries = await startDemoRegistries();
    files = await writeDemoFiles();
    const port = await freePort();
    const base = `https://127.0.0.1:${port}`;
    urls = { mutate: `${base}/mutate`, validate: `${base}/validate` };
    served = createEngine().serve(
      {
        policies: files.policies,
        registries: files.registries,
        certificate: { kind: 'Files', certFile: files.tlsCert, keyFile: files.tlsKey },
        listen: `127.0.0.1:${port}`,
        operationsListen: `127.0.0.1:${await freePort()}`,
        plainHttp: [],
        noMatch: 'Admit',
        releaseNamespace: 'refwarden-system',
        pinning: true,
        pullSecrets: false,
        logLevel: 'error',
      },
      ending.signal,
    );
    await answered(urls.validate, files.caPem);
  });

  afterAll(async () => {
    ending.abort();
    await served;
    await registries.close();
    await files.remove();
  });

  const wire = (): string[] => registries.shop.requests.map(({ method, path }) => `${method} ${path}`);

  it('200 identical Pods at once cause one resolution and one discovery, for both webhooks together', async () => {
    registries.shop.clearRequests();
    const image = '127.0.0.1:5601/shop/keyless:1.0';
    const answers = await Promise.all(Array.from({ length: 200 }, () => createPod(urls, files.caPem, image)));
    expect(new Set(answers.map(({ outcome }) => outcome))).toEqual(new Set(['admitted']));
    expect(wire().filter((request) => request.startsWith('HEAD'))).toHaveLength(1);
    expect(wire()).toHaveLength(4);
  });

  it('a second decision sends nothing for a digest, and at most one HEAD for a tag', async () => {
    const tag = '127.0.0.1:5601/shop/web:1.0';
    const digest = demoCases.find(({ image }) => image.includes('/shop/sbom@'))?.image ?? '';
    for (const image of [tag, digest]) await createPod(urls, files.caPem, image);
    registries.shop.clearRequests();
    expect(await createPod(urls, files.caPem, digest)).toMatchObject({ outcome: 'admitted' });
    expect(wire()).toEqual([]);
    expect(await createPod(urls, files.caPem, tag)).toMatchObject({ outcome: 'admitted' });
    expect(wire().filter((request) => !request.startsWith('HEAD'))).toEqual([]);
    expect(wire().length).toBeLessThanOrEqual(1);
  });
});

/** Waits until the webhook takes connections. */
async function answered(url: string, ca: string): Promise<void> {
  const until = performance.now() + 10_000;
  for (;;) {
    try {
      await createPod({ mutate: url, validate: url }, ca, '127.0.0.1:5601/shop/unsigned:1.0');
      return;
    } catch (error) {
      if (performance.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}
