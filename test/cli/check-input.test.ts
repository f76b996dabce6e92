import { describe, expect, it } from 'vitest';
import { startRegistry } from '../../src/demo/registry/start-registry.ts';
import { fixturePolicy, signedBy } from '../support/fixture-policies.ts';
import { writePolicyDirectory } from '../support/policy-directory.ts';
import { runCommandLine } from '../support/run-command-line.ts';

const image = 'registry.example/acme/app:1.4';
const header = 'apiVersion: refwarden.dev/v1alpha1\n';
const policy = (spec: string): string =>
  `${header}kind: ClusterArtifactPolicy\nmetadata: {name: p}\nspec: {images: ["**"], ${spec}}\n`;

/** Each wrong input with what the error must name. */
const wrong: readonly [what: string, files: Record<string, string>, exit: number, parts: string[]][] = [
  ['an empty directory', {}, 2, ['ConfigurationInvalid', 'no *.yaml']],
  ['an empty policy file', { 'a.yaml': '' }, 2, ['a.yaml']],
  [
    'an empty policy',
    { 'a.yaml': `${header}kind: ClusterArtifactPolicy\nmetadata: {name: p}\nspec: {}\n` },
    2,
    ['PolicyInvalid', 'a.yaml', 'images', 'require'],
  ],
  ['no requirement', { 'a.yaml': policy('require: []') }, 2, ['PolicyInvalid', 'a.yaml', 'require']],
  [
    'an empty requirement',
    { 'a.yaml': policy('require: [{name: a}]') },
    2,
    ['exactly one of signature, sbom, attestation, pinned, anyOf'],
  ],
  [
    'no issuer',
    { 'a.yaml': policy('require: [{name: a, signature: {issuers: []}}]') },
    2,
    ['require[0].signature.issuers'],
  ],
  [
    'an unknown field',
    { 'a.yaml': policy('require: [{name: a, pinned: true}], enforce: true') },
    2,
    ['PolicyInvalid', 'enforce'],
  ],
  [
    'an alternative that is none',
    { 'a.yaml': policy('require: [{name: a, anyOf: [{pinned: true}, {}]}]') },
    2,
    ['spec.require[0].anyOf[1]', 'exactly one of signature, sbom, attestation, pinned must be given'],
  ],
  ['YAML that does not parse', { 'b.yaml': 'a: [1' }, 2, ['b.yaml']],
  [
    'another kind',
    { 'a.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n' },
    2,
    ['a.yaml', 'Secret'],
  ],
  [
    'a missing issuer',
    { 'a.yaml': policy('require: [{name: a, signature: {issuers: [nobody]}}]') },
    2,
    ['PolicyNotReady', 'There is no TrustedIssuer nobody'],
  ],
  [
    'a broken pattern',
    { 'a.yaml': policy('require: [{name: a, pinned: true}]').replace('"**"', '"a/**b"') },
    2,
    ['PolicyInvalid', 'a/**b'],
  ],
];

describe('refwarden check with wrong input', () => {
  it.each(wrong)('%s is named', async (_what, files, exit, parts) => {
    await using directory = await writePolicyDirectory(files);
    const { code, out, err } = await runCommandLine('check', image, '--policies', directory.path);
    for (const part of parts) expect(out + err).toContain(part);
    expect(code).toBe(exit);
  });

  it('names a policy directory that does not exist', async () => {
    const { code, err } = await runCommandLine('check', image, '--policies', '/does/not/exist');
    expect(err).toContain('ConfigurationInvalid: The policy directory /does/not/exist cannot be read');
    expect(code).toBe(2);
  });

  it.each(['', 'docker.io/UPPER/case', 'a b', 'x@sha256:12', 'https://ghcr.io/a/b'])(
    'refuses the image %o',
    async (text) => {
      await using directory = await writePolicyDirectory({
        'a.yaml': policy('require: [{name: a, pinned: true}]'),
      });
      const { code, err } = await runCommandLine('check', text, '--policies', directory.path);
      expect(err).toMatch(/^(ImageReferenceInvalid|DigestUnsupported): /);
      expect(code).toBe(2);
    },
  );

  it.each([
    ['Admit', 0, 'no policy matches this image'],
    ['Warn', 0, 'NoPolicyMatches'],
    ['Deny', 1, 'NoPolicyMatches'],
  ])('--unmatched %s is what happens to an image that no policy matches', async (answer, exit, part) => {
    const elsewhere = policy('require: [{name: a, pinned: true}]').replace('"**"', '"quay.io/**"');
    await using directory = await writePolicyDirectory({ 'a.yaml': elsewhere });
    const { code, out } = await runCommandLine(
      'check',
      image,
      '--policies',
      directory.path,
      '--unmatched',
      answer,
    );
    expect(out).toContain(part);
    expect(code).toBe(exit);
  });

  it.each([
    [
      ['--registries', '/does/not/exist'],
      'The registry settings /does/not/exist cannot be read: it does not exist.',
    ],
    [['--plain-http', 'http://x/'], 'is no registry host'],
    [['--trust-dir', '/does/not/exist'], 'The trust directory /does/not/exist is no directory.'],
  ])('refuses the option %j', async (option, part) => {
    await using directory = await writePolicyDirectory({
      'a.yaml': policy('require: [{name: a, pinned: true}]'),
    });
    const { code, err } = await runCommandLine('check', image, '--policies', directory.path, ...option);
    expect(err).toContain('ConfigurationInvalid: ');
    expect(err).toContain(part);
    expect(code).toBe(2);
  });

  it('takes a fraction of a second as timeout', async () => {
    await using directory = await writePolicyDirectory({
      'a.yaml': policy('require: [{name: a, pinned: true}]'),
    });
    const { code, err } = await runCommandLine(
      'check',
      image,
      '--policies',
      directory.path,
      '--timeout',
      '1.2345',
    );
    expect(err).toBe('');
    expect(code).toBe(1);
  });

  it('writes an error as JSON where JSON was asked for', async () => {
    const { code, out } = await runCommandLine(
      'check',
      image,
      '--policies',
      '/does/not/exist',
      '--output',
      'json',
    );
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'ConfigurationInvalid' } });
    expect(code).toBe(2);
  });

  it('shows usage for a missing option and an unknown command', async () => {
    const missing = await runCommandLine('check', image);
    expect(missing.err).toContain("required option '--policies <dir>'");
    expect(missing.code).toBe(2);
    const misspelt = await runCommandLine('check', image, '--polcies', 'policies');
    expect(misspelt.err).toContain("unknown option '--polcies'\n(Did you mean --policies?)");
    expect(misspelt.code).toBe(2);
    const unknown = await runCommandLine('chekc');
    expect(unknown.err).toContain("unknown command 'chekc'");
    expect(unknown.code).toBe(2);
  });

  it('T28 a registry that is not there is inconclusive, exit code 3', async () => {
    const gone = await startRegistry({ mechanisms: { references: false, referrers: true } });
    await gone.close();
    await using directory = await writePolicyDirectory({ 'p.json': fixturePolicy(signedBy('release')) });
    const { code, out } = await runCommandLine(
      'check',
      `${gone.host}/acme/app:1`,
      '--plain-http',
      gone.host,
      '--policies',
      directory.path,
    );
    expect(out).toContain('RegistryUnavailable');
    expect(code).toBe(3);
  });

  it('T35 labels that are not known leave open which policies apply, exit code 3', async () => {
    await using directory = await writePolicyDirectory({
      'p.json': fixturePolicy(signedBy('release'), { namespaces: { matchLabels: { env: 'prod' } } }),
    });
    const { code, out } = await runCommandLine(
      'check',
      image,
      '--policies',
      directory.path,
      '--namespace',
      'shop',
    );
    expect(out).toContain('NamespaceUnknown');
    expect(code).toBe(3);
  });
});
