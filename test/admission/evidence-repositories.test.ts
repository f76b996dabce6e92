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

describe('T24 a policy of a namespace', () => {
  it('that names a repository which fails leaves the checks of others as they are', async () => {
    await using broken = await startRegistry({ mechanisms: { references: false, referrers: true } });
    broken.intercept((_, response) => {
      response.writeHead(503).end();
      return true;
    });
    const clusterWide = { onInconclusive: 'Admit' };
    const started = await startFixtureDecisions({
      fixtures: ['unsigned'],
      policies: ({ host }) => {
        const both = JSON.parse(fixturePolicy(signedBy('release'), clusterWide)) as { items: object[] };
        const own = {
          apiVersion: 'refwarden.dev/v1alpha1',
          kind: 'ArtifactPolicy',
          metadata: { name: 'own', namespace: 'shop' },
          spec: {
            images: ['**'],
            mode: 'Audit',
            evidenceRepositories: [`${broken.host}/any/where`, `${host}/acme/signatures`],
            require: [{ name: 'r', ...signedBy('release') }],
          },
        };
        return JSON.stringify({ items: [...both.items, own] });
      },
    });
    const verdict = await started.decide(unsigned);
    expect(verdict.outcome).toBe('denied');
    expect(
      verdict.images[0]?.checks.map(({ policy, outcome, code, blocks }) => [policy, outcome, code, blocks]),
    ).toEqual([
      ['p', 'failed', 'SignatureMissing', true],
      ['shop/own', 'inconclusive', expect.any(String), false],
    ]);
  });
});
