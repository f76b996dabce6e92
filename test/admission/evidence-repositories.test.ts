import { describe, expect, it } from 'vitest';
import { startRegistry } from '../../src/demo/registry/start-registry.ts';
import { readCosignFixture } from '../support/cosign-fixture.ts';
import { answerOf, loadFixture, startFixtureDecisions } from '../support/fixture-decisions.ts';
import { fixturePolicy, signedBy } from '../support/fixture-policies.ts';

const unsigned = `@${readCosignFixture('unsigned').image}`;

describe.each(['key-legacy', 'key-bundle'])('artifacts in another repository: %s', (fixture) => {
  const policies = (host: string): string =>
    fixturePolicy(signedBy('release'), { evidenceRepositories: [`${host}/acme/signatures`] });

  it('count where policy names the repository', async () => {
    const started = await startFixtureDecisions({
      fixtures: ['unsigned'],
      policies: ({ host }) => policies(host),
    });
    await loadFixture(started.registry, fixture, 'acme/signatures');
    const verdict = await started.decide(unsigned);
    expect(answerOf(verdict)).toBe('admitted');
    expect(verdict.requests.sequential).toBeLessThanOrEqual(4);
  });

  it('do not count where it does not, nor where the repository holds none', async () => {
    const unnamed = await startFixtureDecisions({
      fixtures: ['unsigned'],
      policies: fixturePolicy(signedBy('release')),
    });
    await loadFixture(unnamed.registry, fixture, 'acme/signatures');
    expect(answerOf(await unnamed.decide(unsigned))).toBe('denied SignatureMissing');
    const empty = await startFixtureDecisions({
      fixtures: ['unsigned'],
      policies: ({ host }) => policies(host),
    });
    expect(answerOf(await empty.decide(unsigned))).toBe('denied SignatureMissing');
  });

  it('T15 do not count for another image', async () => {
    const started = await startFixtureDecisions({
      fixtures: ['index-signed-legacy'],
      policies: ({ host }) =>
        fixturePolicy(
          { signature: { issuers: ['second'] } },
          { evidenceRepositories: [`${host}/acme/signatures`] },
        ),
    });
    await loadFixture(started.registry, fixture, 'acme/signatures');
    expect(answerOf(await started.decide(':1.4.0'))).toMatch(/^denied /);
  });
});

it.each(['key-legacy', 'key-bundle'])(
  'T29 an artifact without its layers does not hide the whole one in another repository: %s',
  async (fixture) => {
    const started = await startFixtureDecisions({
      fixtures: [fixture],
      policies: ({ host }) =>
        fixturePolicy(signedBy('release'), { evidenceRepositories: [`${host}/acme/signatures`] }),
    });
    await loadFixture(started.registry, fixture, 'acme/signatures');
    started.registry.intercept((request, response) => {
      if (request.url?.startsWith('/v2/acme/app/blobs/') !== true) return false;
      response
        .writeHead(404, { 'content-type': 'application/json' })
        .end('{"errors":[{"code":"BLOB_UNKNOWN"}]}');
      return true;
    });
    expect(answerOf(await started.decide(`@${readCosignFixture(fixture).image}`))).toBe('admitted');
  },
);

describe('a policy of a namespace that names a repository which fails', () => {
  /** Beside a cluster policy that waives a registry which fails. */
  const withOwnPolicy =
    (failing: string) =>
    ({ host }: { readonly host: string }): string => {
      const { items } = JSON.parse(fixturePolicy(signedBy('release'), { onInconclusive: 'Admit' })) as {
        items: object[];
      };
      const own = {
        apiVersion: 'refwarden.dev/v1alpha1',
        kind: 'ArtifactPolicy',
        metadata: { name: 'own', namespace: 'shop' },
        spec: {
          images: ['**'],
          mode: 'Audit',
          evidenceRepositories: [`${failing}/any/where`, `${host}/acme/signatures`],
          require: [{ name: 'r', ...signedBy('release') }],
        },
      };
      return JSON.stringify({ items: [...items, own] });
    };

  it.each([
    ['as settings allow it', true, 'RegistryUnavailable'],
    ['at a loopback address that nobody allowed', false, 'RegistryRefused'],
  ])('T10 T24 leaves the checks of others as they are: %s', async (_, isListed, code) => {
    await using broken = await startRegistry({ mechanisms: { references: false, referrers: true } });
    broken.intercept((_request, response) => {
      response.writeHead(503).end();
      return true;
    });
    const started = await startFixtureDecisions({
      fixtures: ['unsigned'],
      policies: withOwnPolicy(broken.host),
      alsoPlainHttp: isListed ? [broken.host] : [],
    });
    const verdict = await started.decide(unsigned);
    expect(verdict.outcome).toBe('denied');
    expect(
      verdict.images[0]?.checks.map((check) => [check.policy, check.outcome, check.code, check.blocks]),
    ).toEqual([
      ['p', 'failed', 'SignatureMissing', true],
      ['shop/own', 'inconclusive', code, false],
    ]);
    expect(broken.requests.length > 0).toBe(isListed);
  });
});
