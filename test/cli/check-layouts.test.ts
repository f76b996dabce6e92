import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { attestedBy, fixturePolicy, sbomBy, signedBy } from '../support/fixture-policies.ts';
import { writePolicyDirectory } from '../support/policy-directory.ts';
import { runCommandLine } from '../support/run-command-line.ts';
import type { CommandLineResult } from '../support/run-command-line.ts';

const layouts = fileURLToPath(new URL('../fixtures/layouts', import.meta.url));
const cases = fileURLToPath(new URL('../fixtures/cosign', import.meta.url));
const made = JSON.parse(readFileSync(`${layouts}/layouts.json`, 'utf8')) as { name: string; image: string }[];
const provenance = 'https://slsa.dev/provenance/v1';
const app = 'ghcr.io/acme/app';

async function check(
  layout: string,
  policy: string,
  image = `${app}:1.4.0`,
  ...flags: string[]
): Promise<CommandLineResult> {
  await using policies = await writePolicyDirectory({ 'policy.json': policy });
  return await runCommandLine('check', image, '--layout', layout, '--policies', policies.path, ...flags);
}

interface Verdict {
  readonly verdict: string;
  readonly images: readonly {
    readonly digest: string;
    readonly checks: readonly { code?: string; message: string; evidence: { mechanism: string }[] }[];
  }[];
  readonly requests: { readonly total: number };
}

/** Layouts that the real tools wrote, what policy asks, the outcome, and by what it was found or what is lacking. */
const written: readonly [layout: string, requirement: object, outcome: string, why: string][] = [
  ['cosign-save-legacy', signedBy('release'), 'admitted', 'CosignTag'],
  ['cosign-save-legacy', signedBy('second'), 'denied', 'SignerNotTrusted'],
  ['cosign-save-attested', sbomBy('release'), 'admitted', 'CosignTag'],
  ['cosign-save-attested', signedBy('release'), 'denied', 'SignatureMissing'],
  ['cosign-save-index', signedBy('release'), 'admitted', 'CosignTag'],
  ['cosign-save-bundles', signedBy('release'), 'admitted', 'Layout'],
  ['cosign-save-bundles', sbomBy('release'), 'admitted', 'Layout'],
  ['cosign-save-bundles', attestedBy(provenance, 'release'), 'admitted', 'Layout'],
  [
    'cosign-save-bundles',
    attestedBy('https://cyclonedx.org/bom', 'release'),
    'denied',
    'PredicateTypeMismatch',
  ],
  ['cosign-save-transplanted', signedBy('release'), 'denied', 'SubjectMismatch'],
  ['oras-cp', signedBy('release'), 'admitted', 'Layout'],
  ['oras-cp', signedBy('second'), 'denied', 'SignerNotTrusted'],
  ['oras-cp-attested', attestedBy(provenance, 'workflow'), 'admitted', 'Layout'],
  ['oras-cp-attested', attestedBy(provenance, 'people'), 'denied', 'SignerNotTrusted'],
  ['oras-cp-transplanted', signedBy('release'), 'denied', 'SubjectMismatch'],
  ['oras-backup.tar', signedBy('release'), 'admitted', 'Layout'],
  ['oras-backup.tar', signedBy('second'), 'denied', 'SignerNotTrusted'],
  ['regctl-copy', signedBy('release'), 'admitted', 'CosignTag'],
  ['regctl-export.tar', signedBy('release'), 'denied', 'SignatureMissing'],
];

describe('refwarden check --layout', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each(written)('%s, policy asks %o: %s (%s)', async (layout, requirement, outcome, why) => {
    const connections = vi.spyOn(Socket.prototype, 'connect');

    const result = await check(
      `${layouts}/${layout}`,
      fixturePolicy(requirement),
      `${app}:1.4.0`,
      '--output',
      'json',
    );

    const { verdict, images, requests } = JSON.parse(result.out) as Verdict;
    const [judged] = images[0]?.checks ?? [];
    expect(verdict, judged?.message).toBe(outcome);
    expect(images[0]?.digest).toBe(made.find(({ name }) => name === layout)?.image);
    expect(outcome === 'admitted' ? judged?.evidence[0]?.mechanism : judged?.code).toBe(why);
    expect(result.code).toBe(outcome === 'admitted' ? 0 : 1);
    expect(requests.total).toBe(0);
    expect(connections).not.toHaveBeenCalled();
  });

  it('connects where no layout is named', async () => {
    const connections = vi.spyOn(Socket.prototype, 'connect');
    await using policies = await writePolicyDirectory({ 'policy.json': fixturePolicy(signedBy('release')) });
    const image = '127.0.0.1:1/acme/app:1.4.0';
    const flags = ['--plain-http', '127.0.0.1:1', '--policies', policies.path];
    expect((await runCommandLine('check', image, ...flags)).code).toBe(3);
    expect(connections).toHaveBeenCalled();
  });

  it('admits a platform by the signature of the index that the layout holds', async () => {
    const [child] = (
      JSON.parse(readFileSync(`${cases}/index-signed-legacy/index.json`, 'utf8')) as {
        manifests: { digest: string; annotations: Record<string, string> }[];
      }
    ).manifests.filter(
      ({ annotations }) => annotations['org.opencontainers.image.ref.name'] === '1.4.0-arm64',
    );
    for (const layout of ['cosign-save-index', 'oras-backup.tar']) {
      const result = await check(
        `${layouts}/${layout}`,
        fixturePolicy(signedBy('release')),
        `${app}@${child?.digest ?? ''}`,
      );
      expect(result.code, result.out).toBe(0);
    }
  });

  it('matches policies by the name that the image goes by on the command line', async () => {
    const policy = fixturePolicy(signedBy('second'), { images: ['ghcr.io/acme/**'] });
    const denied = await check(`${layouts}/oras-cp`, policy, `${app}:1.4.0`);
    const elsewhere = await check(`${layouts}/oras-cp`, policy, 'quay.io/acme/app:1.4.0');
    expect([denied.code, elsewhere.code]).toEqual([1, 0]);
    expect(elsewhere.out).toContain('no policy matches this image');
  });

  it('is inconclusive about an image that the layout does not have, and says what it has', async () => {
    const policy = fixturePolicy(signedBy('release'), { onInconclusive: 'Admit' });
    const byTag = await check(`${layouts}/oras-cp`, policy, `${app}:1.5`);
    expect(byTag.code).toBe(3);
    expect(byTag.out).toContain(
      `ImageNotFound: ${layouts}/oras-cp has no ${app}:1.5; it has 1.4.0 (sha256:2a41a64c).`,
    );
    const byDigest = await check(`${layouts}/oras-cp`, policy, `${app}@sha256:${'0'.repeat(64)}`);
    expect(byDigest.code).toBe(3);
    expect(byDigest.out).toContain(`ImageNotFound: ${layouts}/oras-cp has no sha256:000`);
  });

  it('refuses what is no layout, in both forms of output', async () => {
    const policy = fixturePolicy(signedBy('release'));
    const result = await check(cases, policy);
    expect([result.code, result.out]).toEqual([2, '']);
    expect(result.err).toBe(
      `LayoutInvalid: ${cases} is no OCI image layout: it has no file oci-layout.\n` +
        'Give the directory or plain tar that oras, skopeo, regctl, docker or cosign save wrote; copy it again if it is cut short.\n',
    );
    const json = await check(cases, policy, `${app}:1.4.0`, '--output', 'json');
    expect(JSON.parse(json.out)).toMatchObject({ error: { code: 'LayoutInvalid' } });
  });

  it.each([
    ['--plain-http', 'localhost:5000'],
    ['--registries', 'registries.yaml'],
    ['--docker-config', 'config.json'],
    ['--cache-dir', 'cache'],
  ])('refuses %s, which only counts for registries', async (flag, value) => {
    const result = await check(
      `${layouts}/oras-cp`,
      fixturePolicy(signedBy('release')),
      `${app}:1.4.0`,
      flag,
      value,
    );
    expect(result.code).toBe(2);
    expect(result.err).toContain(`option '--layout <path>' cannot be used with option '${flag} `);
  });
});
