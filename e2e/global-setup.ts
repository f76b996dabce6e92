import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { chooseClusterDriver } from './drivers/choose-cluster-driver.ts';
import { makeKeys } from './images/make-keys.ts';
import { makeSamples, releasePerson, releaseWorkflow } from './images/make-samples.ts';
import { makeNotationKeys } from './images/notation-signer.ts';
import { exitOnSignals } from './processes/exit-on-signals.ts';
import { makeTemporaryDirectory } from './processes/temporary-directory.ts';
import { startDistribution } from './registries/distribution.ts';
import { startOciregistry } from './registries/ociregistry.ts';
import { startSigningServices } from './signing/signing-services.ts';
import { makeCosign } from './tools/cosign.ts';
import { makeNotation } from './tools/notation.ts';
import { makeOras } from './tools/oras.ts';
import { installRefwarden } from './world/install-refwarden.ts';
import { trustResources } from './world/trust.ts';
import type { SampleRegistry } from './world/world.ts';

/** Makes what all test files share, provides it as `world`, and returns what takes it down again. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  exitOnSignals();
  await using stack = new AsyncDisposableStack();
  const directory = await makeTemporaryDirectory('e2e');
  stack.defer(() => directory.remove());
  const keysDirectory = join(directory.path, 'keys');
  await mkdir(keysDirectory);
  const [cosign, notation, oras] = await Promise.all([
    makeCosign(directory.path),
    makeNotation(directory.path),
    makeOras(directory.path),
  ]);

  const cluster = await chooseClusterDriver().start();
  stack.defer(() => cluster.stop());
  const [withReferrers, withoutReferrers] = await Promise.all([startOciregistry(), startDistribution()]);
  stack.defer(() => withReferrers.stop());
  stack.defer(() => withoutReferrers.stop());
  const signing = await startSigningServices(cosign);
  stack.defer(() => signing.stop());
  const releaseKeyPem = await makeKeys(cosign, keysDirectory);

  const notationRoot = await makeNotationKeys(notation, join(keysDirectory, 'notation-release'));
  await makeNotationKeys(notation, join(keysDirectory, 'notation-stranger'));

  const tools = { cosign, notation, oras, signing, keysDirectory, scratch: directory.path };
  const registries: SampleRegistry[] = await Promise.all(
    (
      [
        { name: 'with the referrers API', mechanism: 'Referrers', host: withReferrers.host },
        { name: 'without the referrers API', mechanism: 'FallbackTag', host: withoutReferrers.host },
      ] as const
    ).map(async (registry) => ({ ...registry, images: await makeSamples(registry.host, tools) })),
  );
  const trust = trustResources({
    releaseKeyPem,
    trustedRoot: await readFile(signing.trustedRootPath, 'utf8'),
    oidcIssuer: signing.people.url,
    subject: releasePerson,
    workflowIssuer: signing.workflows.url,
    repository: releaseWorkflow.repository,
    notationRoot,
  });
  const { kubeconfigPath, webhookHost } = cluster;
  const serviceKubeconfigPath = await installRefwarden(cluster, trust, directory.path);
  project.provide('world', {
    kubeconfigPath,
    serviceKubeconfigPath,
    webhookHost,
    registries,
    trust,
    keysDirectory,
    oidcIssuer: signing.people.url,
  });
  const running = stack.move();
  return () => running.disposeAsync();
}
