import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadLayout } from '../../src/demo/registry/load-layout.ts';
import { startRegistry } from '../../src/demo/registry/start-registry.ts';
import { parseDigest } from '../../src/image/digest.ts';
import { fixturePolicy, signedBy } from '../support/fixture-policies.ts';
import { writePolicyDirectory } from '../support/policy-directory.ts';
import { runCommandLine } from '../support/run-command-line.ts';

const fixtures = fileURLToPath(new URL('../fixtures/cosign', import.meta.url));
const dayMs = 86_400_000;
const inDays = (days: number): string => new Date(Date.now() + days * dayMs).toISOString();

const exception = (name: string, spec: object, metadata: object = {}): object => ({
  apiVersion: 'refwarden.dev/v1alpha1',
  kind: 'ArtifactPolicyException',
  metadata: { name, ...metadata },
  spec: {
    images: ['HOST/acme/app'],
    namespaces: ['default'],
    policies: [{ name: 'p', requirements: ['All'] }],
    reason: 'because',
    expiresAt: inDays(1),
    ...spec,
  },
});

/** Of an image without a signature; HOST stands for that of its registry. */
async function check(exceptions: readonly object[], ...flags: string[]) {
  await using registry = await startRegistry({ mechanisms: { references: false, referrers: true } });
  await loadLayout(registry.store, 'acme/app', `${fixtures}/unsigned`);
  const { image } = JSON.parse(readFileSync(`${fixtures}/unsigned/case.json`, 'utf8')) as { image: string };
  registry.store.tag('acme/app', '1', parseDigest(image));
  await using policies = await writePolicyDirectory({
    'policy.yaml': fixturePolicy(signedBy('release')),
    ...Object.fromEntries(
      exceptions.map((one, i) => [`exception-${i}.json`, JSON.stringify(one).replace('HOST', registry.host)]),
    ),
  });
  const common = ['--plain-http', registry.host, '--policies', policies.path];
  return await runCommandLine('check', `${registry.host}/acme/app:1`, ...common, ...flags);
}

describe('refwarden check with exceptions', () => {
  it('says why those that name the image do not count', async () => {
    const { code, out } = await check(
      [
        exception('ended', { expiresAt: '2026-01-01T00:00:00Z' }),
        exception('old', { expiresAt: inDays(30) }, { creationTimestamp: inDays(-100) }),
        exception('elsewhere', { namespaces: ['shop', 'pay'] }),
        exception('misspelt', { policies: [{ name: 'q', requirements: ['All'] }] }),
        exception('other-image', { images: ['HOST/acme/other'] }),
      ],
      '--explain',
    );
    expect(code).toBe(1);
    const uncounted = out
      .split('\n')
      .flatMap((line) => line.split('not counted: ArtifactPolicyException ')[1] ?? []);
    expect(uncounted.sort()).toEqual([
      'elsewhere: It is for shop, pay, not for namespace default.',
      'ended: It ended at 2026-01-01T00:00:00Z.',
      'misspelt: There is no ClusterArtifactPolicy q.',
      expect.stringMatching(/^old: It ended at /),
    ]);
  });

  it('says them in JSON, and nothing of them unless it is asked to explain', async () => {
    const ended = exception('ended', { expiresAt: '2026-01-01T00:00:00Z' });
    const { out } = await check([ended], '--explain', '--output', 'json');
    expect(JSON.parse(out)).toMatchObject({
      images: [{ uncountedExceptions: ['ArtifactPolicyException ended: It ended at 2026-01-01T00:00:00Z.'] }],
    });
    expect((await check([ended])).out).not.toContain('ArtifactPolicyException');
  });

  it('warns of one that names no digest', async () => {
    const { code, out } = await check([exception('hotfix', {})], '--explain');
    expect(code).toBe(0);
    expect(out).toContain(
      'ExceptedByTag: it names no digest, so whatever the tag means next is excepted, too',
    );
    expect(out).not.toContain('not counted');
    const { out: json } = await check([exception('hotfix', {})], '--output', 'json');
    expect(JSON.parse(json)).toMatchObject({
      images: [{ checks: [{ exception: 'hotfix', exceptedByDigest: false }] }],
    });
  });
});
