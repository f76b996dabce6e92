import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { startRegistry } from '../../src/demo/registry/start-registry.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { parseDocument } from '../../src/oci/manifest.ts';
import { defaultRegistryLimits, highestRegistryLimits } from '../../src/registry/limits.ts';
import { createVerifier } from '../../src/verification/verifier.ts';
import { manifest } from '../demo/registry/documents.ts';
import { fixturePolicy, signedBy } from '../support/fixture-policies.ts';
import { writePolicyDirectory } from '../support/policy-directory.ts';
import { runCommandLine } from '../support/run-command-line.ts';
import { app, blobOf } from './start-client.ts';

const unitOf = (name: string): string =>
  name.endsWith('Bytes') ? 'bytes' : name.endsWith('Ms') ? 'ms' : 'count';

describe('limits of registries', () => {
  it('are documented, each with its default, its highest value and its unit', () => {
    const page = readFileSync(new URL('../../docs/registries.md', import.meta.url), 'utf8');
    const documented = page.match(/^\| `\w+` \| \d+ \| \d+ \| \w+ \|/gm);
    const expected = Object.entries(defaultRegistryLimits).map(([name, value]: [string, number]) => {
      const highest = highestRegistryLimits[name as keyof typeof highestRegistryLimits];
      return `| \`${name}\` | ${value} | ${highest} | ${unitOf(name)} |`;
    });
    expect(documented).toEqual(expected);
  });

  it('keep no layer out that a form of signature would read', () => {
    const needs = (mediaType: string, size: number): readonly Descriptor[] => {
      const layer = { ...blobOf(Buffer.from('payload')), mediaType, size };
      const { bytes } = manifest('artifact', { artifactType: mediaType, layers: [layer] });
      const document = parseDocument(bytes, undefined, 'artifact');
      if (document.kind !== 'manifest') throw new Error('is no manifest');
      return createVerifier().needs(document).layers;
    };
    const bundle = 'application/vnd.dev.sigstore.bundle.v0.3+json';
    const attestation = 'application/vnd.dsse.envelope.v1+json';
    const { maxLayerBytes } = defaultRegistryLimits;
    for (const mediaType of [bundle, attestation]) {
      expect(needs(mediaType, 1_000)).toHaveLength(1);
      expect(needs(mediaType, maxLayerBytes + 1)).toEqual([]);
    }
  });

  it('T11 of a settings file hold for what is asked', async () => {
    await using registry = await startRegistry({ mechanisms: { references: false, referrers: true } });
    registry.store.putManifest('shop/app', app.bytes, app.mediaType, '1.0');
    registry.intercept((request, response) => {
      if (request.url?.includes('/referrers/') !== true) return false;
      response.writeHead(200).end(`{"manifests":[]}${' '.repeat(200)}`);
      return true;
    });
    await using directory = await writePolicyDirectory({
      'policy.json': fixturePolicy(signedBy('release')),
    });
    await using settings = await writePolicyDirectory({
      'registries.yaml': 'limits: {maxListingBytes: 100}',
    });
    const check = (...flags: string[]): ReturnType<typeof runCommandLine> =>
      runCommandLine(
        'check',
        `${registry.host}/shop/app@${app.digest}`,
        '--plain-http',
        registry.host,
        '--policies',
        directory.path,
        ...flags,
      );
    expect((await check()).out).toContain('SignatureMissing');
    const limited = await check('--registries', `${settings.path}/registries.yaml`);
    expect(limited.out).toContain('ArtifactTooLarge');
    expect(limited.out).toContain('the answer is larger than 100 bytes');
  });
});
