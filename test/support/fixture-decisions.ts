import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { decide } from '../../src/admission/decide.ts';
import type { ArtifactSource } from '../../src/admission/ports.ts';
import type { Verdict } from '../../src/admission/verdict.ts';
import { loadLayout } from '../../src/demo/registry/load-layout.ts';
import { startRegistry } from '../../src/demo/registry/start-registry.ts';
import type { EmbeddedRegistry, RegistryOptions } from '../../src/demo/registry/start-registry.ts';
import { compilePolicies } from '../../src/policy/compile.ts';
import type { Mechanism } from '../../src/policy/evidence.ts';
import { parseResource } from '../../src/policy/model/resource.ts';
import type { PolicySnapshot } from '../../src/policy/snapshot.ts';
import { createArtifactSource } from '../../src/referrers/artifact-source.ts';
import type { RegistryLimits } from '../../src/registry/limits.ts';
import { createRegistryClient } from '../../src/registry/registry-client.ts';
import { checkExpression } from '../../src/verification/expression/check-expression.ts';
import { checkIssuerMaterial } from '../../src/verification/issuer-material.ts';
import { createVerifier } from '../../src/verification/verifier.ts';
import { pod, portsOf } from '../admission/sample-decision.ts';
import { plainHttp, TestClock } from '../registry/registry-access.ts';

export const repository = 'acme/app';
/** When the fixtures' signatures are looked at; keyless certificates have long expired then. */
const fixtureTimeMs = Date.parse('2026-05-01T12:00:00Z');

export interface FixtureDecisions {
  readonly registry: EmbeddedRegistry;
  readonly source: ArtifactSource;
  /** What was asked since the last call, without `/v2/acme/app/`. */
  readonly requests: () => string[];
  /** @param reference what follows `registry/acme/app`: `@sha256:...`, `:1.4.0`. */
  readonly decide: (reference: string, namespace?: string) => Promise<Verdict>;
}

export interface FixtureOptions {
  /** Directories of test/fixtures/cosign, all put into one repository. */
  readonly fixtures: readonly string[];
  /** Text of a policy directory file, see fixture-policies.ts. */
  readonly policies: string | ((registry: EmbeddedRegistry) => string);
  readonly serves?: RegistryOptions['mechanisms'];
  readonly ask?: readonly Mechanism[];
  readonly limits?: Partial<RegistryLimits>;
  /** Further hosts that settings name. */
  readonly alsoPlainHttp?: readonly string[];
}

/** Decisions by real policies and the real verifier on what cosign made, over the embedded registry. */
export async function startFixtureDecisions(options: FixtureOptions): Promise<FixtureDecisions> {
  const { fixtures, policies, serves = { references: false, referrers: true }, ask, limits } = options;
  const { alsoPlainHttp = [] } = options;
  const registry = await startRegistry({ mechanisms: serves });
  for (const fixture of fixtures) await loadFixture(registry, fixture);
  const own = plainHttp(registry.host, ask === undefined ? {} : { mechanisms: ask });
  const others = alsoPlainHttp.map((host) => ({ host, plainHttp: true }));
  const source = createArtifactSource(
    createRegistryClient({
      ...own,
      registries: [...(own.registries ?? []), ...others],
      ...(limits === undefined ? {} : { limits }),
      clock: new TestClock(),
    }),
  );
  onTestFinished(async () => {
    await source.close();
    await registry.close();
  });
  const text = typeof policies === 'string' ? policies : policies(registry);
  const ports = portsOf({
    source,
    policies: compileText(text),
    verifier: createVerifier(),
    nowMs: () => fixtureTimeMs,
  });
  return {
    registry,
    source,
    requests: () => {
      const made = registry.requests.map(
        ({ method, path }) => `${method} ${path.replace(`/v2/${repository}/`, '')}`,
      );
      registry.clearRequests();
      return made;
    },
    decide: (reference, namespace = 'shop') =>
      decide(pod([`${registry.host}/${repository}${reference}`], { namespace }), ports, {
        signal: new AbortController().signal,
      }),
  };
}

export async function loadFixture(
  registry: EmbeddedRegistry,
  fixture: string,
  to = repository,
): Promise<void> {
  const directory = fileURLToPath(new URL(`../fixtures/cosign/${fixture}`, import.meta.url));
  await loadLayout(registry.store, to, directory);
}

function compileText(text: string): PolicySnapshot {
  const { items } = JSON.parse(text) as { items: unknown[] };
  const resources = items.map((item) => parseResource(item, 'policies.json'));
  return compilePolicies(resources, { material: () => '', check: checkIssuerMaterial, checkExpression });
}

/** `admitted`, or the outcome with the code and message of the first check that did not pass. */
export function answerOf({ outcome, images }: Verdict): string {
  const check = images.flatMap(({ checks }) => checks).find((each) => each.outcome !== 'passed');
  return check === undefined ? outcome : `${outcome} ${check.code ?? ''}`;
}
