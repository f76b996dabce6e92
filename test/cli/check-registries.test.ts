import { chmod, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { loadLayout } from '../../src/demo/registry/load-layout.ts';
import { startRegistry } from '../../src/demo/registry/start-registry.ts';
import { fixturePolicy, signedBy } from '../support/fixture-policies.ts';
import { writePolicyDirectory } from '../support/policy-directory.ts';
import { runCommandLine } from '../support/run-command-line.ts';

const signed = fileURLToPath(new URL('../fixtures/cosign/key-legacy', import.meta.url));

describe('refwarden check', () => {
  it('asks the mirror that the settings name, with the account that a credential helper has for it', async () => {
    await using cache = await startRegistry({
      mechanisms: { references: false, referrers: true },
      auth: { kind: 'bearer', account: { username: 'reader', password: 'sesame' } },
    });
    await loadLayout(cache.store, 'hub/acme/app', signed);
    const { image } = JSON.parse(await readFile(join(signed, 'case.json'), 'utf8')) as { image: string };
    await using policies = await writePolicyDirectory({ 'policy.json': fixturePolicy(signedBy('release')) });
    await using files = await writePolicyDirectory({
      'registries.yaml': `registries: [{host: docker.io, mirror: "${cache.host}", prefix: hub}]`,
      'config.json': JSON.stringify({ credHelpers: { [cache.host]: 'cache' } }),
    });
    const helper = join(files.path, 'docker-credential-cache');
    await writeFile(helper, '#!/bin/sh\necho \'{"Username": "reader", "Secret": "sesame"}\'\n');
    await chmod(helper, 0o755);
    vi.stubEnv('PATH', `${files.path}${delimiter}${process.env['PATH'] ?? ''}`);
    onTestFinished(() => void vi.unstubAllEnvs());

    const { code, out, err } = await runCommandLine(
      'check',
      `acme/app@${image}`,
      '--policies',
      policies.path,
      '--plain-http',
      cache.host,
      '--registries',
      join(files.path, 'registries.yaml'),
      '--docker-config',
      join(files.path, 'config.json'),
    );
    expect([code, err], out).toEqual([0, '']);
    expect(out).toContain('docker.io/acme/app');
    const paths = cache.requests.map(({ path }) => path).filter((path) => !path.startsWith('/token?'));
    expect(paths.filter((path) => !path.startsWith('/v2/hub/acme/app/'))).toEqual([]);
    expect(paths).not.toEqual([]);
  });
});
