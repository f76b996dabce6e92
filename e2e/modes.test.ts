import { beforeAll, describe, expect, inject, it } from 'vitest';
import { denialOf, expectAdmitted } from './objects/kubectl-objects.ts';
import { signedBy } from './objects/policy.ts';
import { openScene } from './world/scene.ts';
import type { Scene } from './world/scene.ts';
import { sampleRegistry } from './world/sample-registry.ts';
import { suiteStack } from './world/suite-stack.ts';
import { releaseKey } from './world/trust.ts';

const { kubeconfigPath, webhookHost } = inject('world');
const { host, images } = sampleRegistry();
const unsigned = images['unsigned'].tagged;
const signed = images['signed-bundle'].tagged;
const require = [signedBy(releaseKey)];

const stack = suiteStack();
let scene: Scene;
beforeAll(async () => {
  scene = await openScene(stack, { kubeconfigPath, webhookHost, hosts: [host] });
});

describe('Enforce', () => {
  it('answers a dry run like the real thing', async () => {
    await scene.guard('enforced', { mode: 'Enforce', require }, unsigned);
    const dryRun = await scene.runPod('enforced', unsigned, '--dry-run=server');
    expect(denialOf(dryRun)).toBe(denialOf(await scene.runPod('enforced', unsigned)));
    expectAdmitted(await scene.runPod('enforced', signed, '--dry-run=server'));
  });
});

describe('Warn', () => {
  it('admits with a warning that starts with code and image', async () => {
    await scene.guard('warned', { mode: 'Warn', require }, unsigned);
    const result = await scene.runPod('warned', unsigned);
    expect(result).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(
        new RegExp(
          `^Warning: SignatureMissing ${unsigned}: policy warned \\(signed\\).* by ${releaseKey}.*\n$`,
        ),
      ) as string,
    });
    expectAdmitted(await scene.runPod('warned', signed));
  });
});

describe('Audit', () => {
  it('admits silently and records', async () => {
    await scene.guard('audited', { mode: 'Enforce', require }, unsigned);
    await scene.applyPolicy('audited', { mode: 'Audit', require });
    await scene.awaitAnswer('audited', unsigned, 'the policy only audits', ({ code }) => code === 0);
    expectAdmitted(await scene.runPod('audited', unsigned));
    expect(await scene.webhook.metrics()).toMatch(
      /^refwarden_checks_total\{policy="audited",outcome="failed",code="SignatureMissing",mode="Audit"\} [1-9]/m,
    );
  });
});

describe('no policy', () => {
  it('admits an image that no policy selects', async () => {
    await scene.addNamespace('unguarded');
    expectAdmitted(await scene.runPod('unguarded', unsigned));
  });
});
