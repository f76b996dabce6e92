import { describe, expect, it, onTestFinished } from 'vitest';
import type { DecisionPorts } from '../../src/admission/decide.ts';
import { decide } from '../../src/admission/decide.ts';
import type { Verdict } from '../../src/admission/verdict.ts';
import { startRegistry } from '../../src/demo/registry/start-registry.ts';
import type { EmbeddedRegistry } from '../../src/demo/registry/start-registry.ts';
import { computeDigest } from '../../src/image/digest.ts';
import { createArtifactSource } from '../../src/referrers/artifact-source.ts';
import { createRegistryClient } from '../../src/registry/registry-client.ts';
import type { RegistryLimits } from '../../src/registry/limits.ts';
import { evidenceBy, outcomes, plainType, pod, portsOf, signedPolicy } from '../admission/sample-decision.ts';
import { manifest } from '../demo/registry/documents.ts';
import type { TestDocument } from '../demo/registry/documents.ts';
import { hostileServer } from '../support/hostile-server.ts';
import { TestClock, plainHttp } from '../registry/registry-access.ts';

const repository = 'shop/app';
const signedImage = manifest('signed');
const unsigned = (i: number): TestDocument => manifest(`unsigned ${i}`);

interface Decisions {
  readonly registry: EmbeddedRegistry;
  readonly clock: TestClock;
  readonly image: (document: TestDocument) => string;
  readonly decideFor: (namespace: string, image: string, signal?: AbortSignal) => Promise<Verdict>;
}

/** A registry with one signed image, and decisions by a policy that asks for its signature. */
async function startDecisions(
  limits: Partial<RegistryLimits> = {},
  others: readonly string[] = [],
): Promise<Decisions> {
  const registry = await startRegistry({ mechanisms: { references: false, referrers: true } });
  pushSigned(registry);
  const clock = new TestClock();
  const { registries = [], ...options } = plainHttp(registry.host);
  const source = createArtifactSource(
    createRegistryClient({
      ...options,
      registries: [...registries, ...others.map((host) => ({ host, plainHttp: true }))],
      clock,
      limits,
    }),
  );
  onTestFinished(async () => {
    await source.close();
    await registry.close();
  });
  const ports: DecisionPorts = portsOf({ source, policies: signedPolicy(), nowMs: () => clock.nowMs() });
  return {
    registry,
    clock,
    image: ({ digest }) => `${registry.host}/${repository}@${digest}`,
    decideFor: (namespace, image, signal = new AbortController().signal) =>
      decide(pod([image], { namespace }), ports, { signal }),
  };
}

function pushSigned({ store }: EmbeddedRegistry): void {
  const content = { evidence: [evidenceBy('acme', { subject: signedImage.digest })] };
  const bytes = Buffer.from(JSON.stringify(content));
  const layer = { mediaType: plainType, digest: computeDigest(bytes), size: bytes.byteLength };
  const artifact = manifest('signature', {
    artifactType: plainType,
    layers: [layer],
    subject: signedImage.descriptor,
  });
  store.putManifest(repository, signedImage.bytes, signedImage.mediaType);
  store.putBlob(repository, bytes);
  store.putManifest(repository, artifact.bytes, artifact.mediaType);
}

describe('T39 one tenant among others', () => {
  it('a retry loop of 1000 denials within ten seconds costs what one costs', async () => {
    const { registry, clock, image, decideFor } = await startDecisions();
    const first = await decideFor('flood', image(unsigned(0)));
    expect([first.outcome, ...outcomes(first)]).toEqual(['denied', 'failed SignatureMissing blocks']);
    expect(registry.requests.length).toBe(first.requests.total);
    registry.clearRequests();
    for (let i = 0; i < 1_000; i++) {
      clock.advance(10);
      expect((await decideFor('flood', image(unsigned(0)))).outcome).toBe('denied');
    }
    expect(registry.requests).toEqual([]);
    clock.advance(10);
    expect((await decideFor('flood', image(unsigned(0)))).requests.total).toBeGreaterThan(0);
    expect(registry.requests.length).toBeLessThanOrEqual(first.requests.total);
  });

  it('a retry loop that always asks the registry ends at the budget of its tenant', async () => {
    const { registry, clock, image, decideFor } = await startDecisions({ requestsPerMinutePerTenant: 20 });
    registry.intercept((_, response) => {
      response.writeHead(500).end();
      return true;
    });
    const verdicts: Verdict[] = [];
    for (let i = 0; i < 50; i++) verdicts.push(await decideFor('flood', image(signedImage)));
    expect(registry.requests).toHaveLength(20);
    const last = verdicts.at(-1);
    expect(last?.outcome).toBe('inconclusive');
    expect(last?.images[0]?.checks[0]).toMatchObject({
      code: 'RequestBudgetSpent',
      message: `Namespace "flood" has spent its 20 requests a minute to ${registry.host}: try again in 3 s.`,
    });
    registry.intercept(undefined);
    expect((await decideFor('quiet', image(signedImage))).outcome).toBe('admitted');
    clock.advance(60_000);
    expect((await decideFor('flood', image(signedImage))).outcome).toBe('admitted');
  });

  it('that asks for many digests spends its own budget, and the image of another is admitted', async () => {
    const { registry, image, decideFor } = await startDecisions({ requestsPerMinutePerTenant: 100 });
    const floods = Array.from({ length: 300 }, (_, i) => decideFor('flood', image(unsigned(i))));
    const quiet = decideFor('quiet', image(signedImage));
    expect((await quiet).outcome).toBe('admitted');
    for (const verdict of await Promise.all(floods))
      expect(outcomes(verdict)).toEqual(['inconclusive RequestBudgetSpent blocks']);
    expect(registry.requests.length).toBe(100 + (await quiet).requests.total);
  });

  it('that fills the queue of a slow registry waits for itself', async () => {
    const { registry, image, decideFor } = await startDecisions({
      maxConcurrentPerHost: 4,
      maxQueuedPerHost: 40,
    });
    const held: (() => void)[] = [];
    const isFlood = ({ url = '' }: { url?: string | undefined }): boolean =>
      !url.includes(signedImage.digest);
    registry.intercept(async (request) => {
      if (request.url?.includes('/referrers/') === true && isFlood(request))
        await new Promise<void>((resolve) => held.push(resolve));
      return false;
    });
    const ending = new AbortController();
    const floods = Array.from({ length: 200 }, (_, i) =>
      decideFor('flood', image(unsigned(i)), ending.signal),
    );
    await expect.poll(() => held.length).toBe(4);
    const quiet = decideFor('quiet', image(signedImage));
    // One place comes free, and it is not for one of the 40 that were there before.
    held.shift()?.();
    expect((await quiet).outcome).toBe('admitted');
    expect(held.length).toBe(3);
    ending.abort();
    const codes = (await Promise.all(floods)).flatMap((verdict) => outcomes(verdict));
    expect(codes).toContain('inconclusive Overloaded blocks');
    registry.intercept(undefined);
    for (const release of held) release();
  });

  it('that names the image of another first does not make it wait in its own queue', async () => {
    const { registry, image, decideFor } = await startDecisions({ maxConcurrentPerHost: 1 });
    const held: (() => void)[] = [];
    registry.intercept(async ({ url = '' }) => {
      if (url.includes(unsigned(0).digest)) await new Promise<void>((resolve) => held.push(resolve));
      return false;
    });
    const ending = new AbortController();
    const floods = [...Array.from({ length: 30 }, (_, i) => unsigned(i)), signedImage].map((document) =>
      decideFor('flood', image(document), ending.signal),
    );
    await expect.poll(() => held.length).toBe(1);
    const quiet = decideFor('quiet', image(signedImage));
    registry.clearRequests();
    held[0]?.();
    expect((await quiet).outcome).toBe('admitted');
    ending.abort();
    await Promise.all(floods);
  });

  it('256 reviews that wait for a silent host take nothing from those of another host', async () => {
    const silent = await hostileServer(() => undefined);
    const { image, decideFor } = await startDecisions({}, [silent.host]);
    const ending = new AbortController();
    const slow = Array.from({ length: 256 }, (_, i) =>
      decideFor('shop', `${silent.host}/${repository}@${unsigned(i).digest}`, ending.signal),
    );
    await expect.poll(() => silent.seen.length).toBe(24);
    expect((await decideFor('shop', image(signedImage))).outcome).toBe('admitted');
    expect(silent.seen).toHaveLength(24);
    ending.abort();
    for (const verdict of await Promise.all(slow))
      expect(outcomes(verdict)).toEqual(['inconclusive DeadlineExceeded blocks']);
  });
});
