import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadLayout } from '../../src/demo/registry/load-layout.ts';
import type { EmbeddedRegistry } from '../../src/demo/registry/start-registry.ts';
import { apiVersion } from '../objects/policy.ts';
import { runCommand } from '../processes/run-command.ts';
import type { Cosign } from '../tools/cosign.ts';
import { refwardenCommand } from '../webhook/refwarden-command.ts';
import type { Comparison } from './comparison.ts';
import { cosignFixtures, fixtureSigners } from './fixture-trust.ts';
import type { FixtureSigner } from './fixture-trust.ts';

/** What is asked of an image: the requirement, and the cosign command that asks the same. */
const questions = {
  signature: { command: ['verify'], require: (issuers: string[]) => ({ signature: { issuers } }) },
  spdx: attested('spdxjson', 'https://spdx.dev/Document'),
  cyclonedx: attested('cyclonedx', 'https://cyclonedx.org/bom'),
  provenance: attested('slsaprovenance1', 'https://slsa.dev/provenance/v1'),
} as const;
type Question = keyof typeof questions;
const everyQuestion = Object.keys(questions) as Question[];

function attested(type: string, predicateType: string) {
  return {
    command: ['verify-attestation', `--type=${type}`],
    require: (issuers: string[]) => ({ attestation: { predicateType, issuers } }),
  };
}

interface CaseImage {
  readonly name: string;
  readonly digest: string;
  /** The commands that made the case. */
  readonly commands: string;
}

/** Every manifest of the fixtures that a signature may be about: the image, and what else cosign was asked about. */
export function fixtureImages(): readonly CaseImage[] {
  return readdirSync(cosignFixtures)
    .filter((name) => name !== 'trust')
    .flatMap((name) => {
      const text = readFileSync(join(cosignFixtures, name, 'case.json'), 'utf8');
      const { image, commands, checks } = JSON.parse(text) as {
        image: string;
        commands: string[];
        checks: { command: string }[];
      };
      const asked = checks.flatMap(({ command }) => command.match(/sha256:[0-9a-f]{64}$/) ?? []);
      return [...new Set([image, ...asked])].map((digest) => ({
        name,
        digest,
        commands: commands.join('\n'),
      }));
    });
}

/**
 * Of those who signed the case, everything that it may hold; of two who did not, and of the one who signed most, whether
 * they signed.
 */
function askedOf({ name, kind }: FixtureSigner, commands: string): readonly Question[] {
  const signed = commands.includes(kind === 'key' ? `$KEYS/${name}.` : '$TOKEN');
  if (!signed) return ['release', 'stranger', 'person'].includes(name) ? ['signature', 'spdx'] : [];
  return /attest|attach/.test(commands) ? everyQuestion : ['signature', 'spdx'];
}

export interface Bench {
  readonly registry: EmbeddedRegistry;
  readonly cosign: Cosign;
  readonly scratch: string;
}

/** Puts every question by every signer about an image to both. */
export async function prepareComparisons({
  registry,
  cosign,
  scratch,
}: Bench): Promise<(image: CaseImage) => Promise<readonly Comparison[]>> {
  const signers = await fixtureSigners(scratch);
  const policies = join(scratch, 'policies');
  await mkdir(policies);
  for (const [i, resource] of policyResources(signers).entries())
    await writeFile(join(policies, `${i}.json`), JSON.stringify(resource));
  return async ({ name, digest, commands }) => {
    await loadLayout(registry.store, `acme/${name}`, join(cosignFixtures, name));
    const reference = `${registry.host}/acme/${name}@${digest}`;
    const ours = await refwardenVerdicts(reference, registry.host, policies);
    const comparisons: Comparison[] = [];
    for (const signer of signers) {
      for (const asked of askedOf(signer, commands)) {
        const answer = ours(signer.name, asked);
        comparisons.push({
          about: name,
          asked,
          by: `${signer.name} ${digest.slice(0, 15)}`,
          reference: (await cosignAccepts(cosign, signer, asked, reference)) ? 'accepted' : 'refused',
          ours: answer === 'passed' ? 'accepted' : 'refused',
          ...(answer === 'passed' ? {} : { detail: answer }),
        });
      }
    }
    return comparisons;
  };
}

/** cosign is told which of its formats to look for; Refwarden finds both. */
async function cosignAccepts(
  cosign: Cosign,
  { flags, legacyFlags }: FixtureSigner,
  asked: Question,
  reference: string,
): Promise<boolean> {
  const { command } = questions[asked];
  const [bundles, legacy] = await Promise.all([
    cosign.attempt([...command, ...flags, reference]),
    cosign.attempt([...command, '--new-bundle-format=false', ...legacyFlags, reference]),
  ]);
  return bundles.code === 0 || legacy.code === 0;
}

function policyResources(signers: readonly FixtureSigner[]): readonly object[] {
  const policies = signers.map(({ name }) => ({
    apiVersion,
    kind: 'ClusterArtifactPolicy',
    metadata: { name },
    spec: {
      images: ['127.0.0.1:*/acme/*'],
      require: everyQuestion.map((asked) => ({ name: asked, ...questions[asked].require([name]) })),
    },
  }));
  return [...signers.map(({ issuer }) => issuer), ...policies];
}

/** `passed` or the code, by policy (that of the signer) and requirement. */
async function refwardenVerdicts(
  reference: string,
  host: string,
  policies: string,
): Promise<(policy: string, requirement: string) => string> {
  const [file, args] = refwardenCommand('check', reference, `--policies=${policies}`, `--plain-http=${host}`);
  const env = { DOCKER_CONFIG: policies, POD_NAMESPACE: undefined };
  const { stdout, stderr } = await runCommand(file, [...args, '--output=json'], { env });
  if (stdout === '') throw new Error(`refwarden check ${reference}: ${stderr}`);
  const { images } = JSON.parse(stdout) as {
    images: {
      checks: { policy: string; requirement: string; outcome: string; code?: string }[];
    }[];
  };
  const checks = images.flatMap((image) => image.checks);
  return (policy, requirement) => {
    const check = checks.find((each) => each.policy === policy && each.requirement === requirement);
    if (check === undefined || check.outcome === 'inconclusive')
      throw new Error(`${reference}: no answer about ${requirement} by ${policy}: ${check?.code ?? ''}`);
    return check.code ?? check.outcome;
  };
}
