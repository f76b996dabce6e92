// Makes the samples of `refwarden demo` and their policies anew, with the real tools: node scripts/make-demo-samples.ts
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { exitOnSignals } from '../e2e/processes/exit-on-signals.ts';
import { makeTemporaryDirectory } from '../e2e/processes/temporary-directory.ts';
import { startSigningServices } from '../e2e/signing/signing-services.ts';
import { makeCosign } from '../e2e/tools/cosign.ts';
import { archivePort, shopPort } from '../src/demo/demo-addresses.ts';
import { startRegistry } from '../src/demo/registry/start-registry.ts';
import type { EmbeddedRegistry } from '../src/demo/registry/start-registry.ts';
import type { Digest } from '../src/image/digest.ts';
import { referToSubject, transplantSignature } from './demo-samples/cosign-tag.ts';
import { pushImage, pushIndex } from './demo-samples/push-image.ts';
import { samplePolicies } from './demo-samples/sample-policies.ts';
import { spdxDocument } from './demo-samples/spdx.ts';
import { toSample } from './demo-samples/to-sample.ts';

const TAG = '1.0';
const RELEASE_EMAIL = 'release@shop.example';
const samplesDirectory = join(import.meta.dirname, '..', 'src', 'demo', 'samples');
const policiesDirectory = join(import.meta.dirname, '..', 'manifests', 'samples');
const ORIGIN = '# Made by scripts/make-demo-samples.ts for the images of `refwarden demo`.\n';
/** cosign's old format, under the tag `.sig`. */
const LEGACY = '--new-bundle-format=false';

exitOnSignals();
const directory = await makeTemporaryDirectory('demo-samples');
const cosign = await makeCosign(directory.path);
const shop = await startRegistry({ port: shopPort, mechanisms: { references: false, referrers: true } });
const archive = await startRegistry({
  port: archivePort,
  mechanisms: { references: true, referrers: false },
});
const signing = await startSigningServices(cosign);
try {
  await makeKey('release');
  await makeKey('stranger');
  const predicate = join(directory.path, 'sbom.spdx.json');
  await writeFile(predicate, JSON.stringify(spdxDocument('shop/sbom')));

  await mkdir(samplesDirectory, { recursive: true });
  await makeSample('unsigned', async () => {});
  await makeSample('api', (image) => cosign.run(['sign', ...withKey('release'), LEGACY, image]));
  await makeSample('web', (image) => cosign.run(['sign', ...withKey('release'), image]));
  await makeSample('keyless', (image) => cosign.run(['sign', ...asPerson(), image]));
  await makeSample('no-sbom', (image) => cosign.run(['sign', ...withKey('release'), image]));
  await makeSample('sbom', async (image) => {
    await cosign.run(['sign', ...withKey('release'), image]);
    await cosign.run(['attest', '--type=spdxjson', `--predicate=${predicate}`, ...withKey('release'), image]);
  });
  await makeSample('stranger', (image) => cosign.run(['sign', ...withKey('stranger'), image]));
  await makeSample('transplanted', (_, digest) => {
    transplantSignature(shop.store, 'shop/api', 'shop/transplanted', TAG, digest);
  });
  await makeMultiArch();
  await writePolicies();
} finally {
  await signing.stop();
  await Promise.all([shop.close(), archive.close()]);
  await directory.remove();
}

/** Pushes an image, has something done to it and writes its repository down. */
async function makeSample(name: string, attach: (image: string, digest: Digest) => unknown): Promise<void> {
  const repository = `shop/${name}`;
  const digest = pushImage(shop.store, repository, TAG);
  await attach(`${shop.host}/${repository}@${digest}`, digest);
  await writeSample(shop, repository, name);
}

/** The index is signed, its platforms are not; the signature refers to it by `reference` and has no tag. */
async function makeMultiArch(): Promise<void> {
  const repository = 'shop/multi-arch';
  const index = pushIndex(archive.store, repository, TAG);
  await cosign.run(['sign', ...withKey('release'), LEGACY, `${archive.host}/${repository}@${index}`]);
  referToSubject(archive.store, repository, index);
  await writeSample(archive, repository, 'multi-arch');
}

async function makeKey(name: string): Promise<void> {
  await cosign.run(['generate-key-pair', `--output-key-prefix=${join(directory.path, name)}`]);
}

function withKey(name: string): string[] {
  const key = join(directory.path, `${name}.key`);
  return [`--key=${key}`, '--use-signing-config=false', '--tlog-upload=false', '--yes'];
}

function asPerson(): string[] {
  const token = signing.people.token({ sub: 'release', email: RELEASE_EMAIL, email_verified: true });
  return [
    `--signing-config=${signing.signingConfigPath}`,
    `--trusted-root=${signing.trustedRootPath}`,
    `--identity-token=${token}`,
    '--yes',
  ];
}

async function writeSample(registry: EmbeddedRegistry, repository: string, name: string): Promise<void> {
  await writeJson(join(samplesDirectory, `${name}.json`), toSample(registry.store, repository));
}

/** As YAML for people and clusters, and as one JSON document for the demo, which ships without manifests/. */
async function writePolicies(): Promise<void> {
  const files = samplePolicies({
    releaseKey: await readFile(join(directory.path, 'release.pub'), 'utf8'),
    keyless: {
      issuer: signing.people.url,
      subject: RELEASE_EMAIL,
      trustedRoot: `${JSON.stringify(JSON.parse(await readFile(signing.trustedRootPath, 'utf8')), null, 2)}\n`,
    },
  });
  await mkdir(policiesDirectory, { recursive: true });
  for (const [file, resources] of Object.entries(files)) {
    const documents = resources.map((resource) => stringify(resource, { lineWidth: 0 }));
    await writeFile(join(policiesDirectory, file), `${ORIGIN}${documents.join('---\n')}`);
  }
  await writeJson(join(samplesDirectory, 'policies.json'), Object.values(files).flat());
}

async function writeJson(path: string, value: object): Promise<void> {
  await writeFile(path, `${JSON.stringify(value, null, 2)}\n`);
}
