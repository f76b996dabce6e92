import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { ByteBudget } from '../../src/admission/byte-budget.ts';
import { createCachingVerifier } from '../../src/admission/caching-verifier.ts';
import { createVerifierPool } from '../../src/workers/verifier-pool.ts';
import { asking, attestationRequest, statementOf } from '../support/signed-attestation.ts';
import { matchesDigestInTurns } from '../../src/image/bytes-in-turns.ts';

// A signed SPDX SBOM of 20,000 packages and 10 MB, asked for a licence, while the event loop is watched.

/** What a review may wait for the event loop, milliseconds. */
const maxDelayMs = 50;
const packageCount = 20_000;
const runs = 5;
const idleMs = 3000;
const expression = "sbom.packages.all(p, !p.licenses.exists(l, l == 'AGPL-3.0-only'))";

const sbom = (license: string) => ({
  spdxVersion: 'SPDX-2.3',
  SPDXID: 'SPDXRef-DOCUMENT',
  name: 'app',
  dataLicense: 'CC0-1.0',
  creationInfo: { created: '2026-11-01T00:00:00Z', creators: ['Tool: bench'] },
  packages: Array.from({ length: packageCount }, (_, i) => ({
    SPDXID: `SPDXRef-Package-${i}`,
    name: `package-${i}`,
    versionInfo: `1.${i}.0`,
    supplier: 'Organization: Example',
    downloadLocation: `https://registry.example/package-${i}/-/package-${i}-1.${i}.0.tgz`,
    filesAnalyzed: false,
    licenseConcluded: i === packageCount - 1 ? license : 'MIT',
    licenseDeclared: 'MIT OR Apache-2.0',
    copyrightText: `Copyright ${'the authors '.repeat(12)}`,
    externalRefs: [
      {
        referenceCategory: 'PACKAGE-MANAGER',
        referenceType: 'purl',
        referenceLocator: `pkg:npm/package-${i}@1.${i}.0`,
      },
    ],
  })),
});

const set = asking([expression], { kind: 'sbom', formats: ['SPDX'] }, ['sbom']);
const requestFor = (license: string) =>
  attestationRequest(statementOf(sbom(license), 'https://spdx.dev/Document'), {
    assertions: [set],
    keepStatements: true,
  });
const requests = { free: requestFor('MIT'), bound: requestFor('AGPL-3.0-only') };
const bytes = [...requests.free.layers.values()].reduce((sum, { length }) => sum + length, 0);

const pool = createVerifierPool();
const budget = new ByteBudget();
// A thread is started with the first job: that is the server's own start, and not measured.
await pool.verify(requests.free);

/** How long others waited for the event loop, and the longest that one turn of it kept the processor busy. */
function watchLoop(): () => { readonly delayMs: number; readonly turnMs: number } {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  let turnUs = 0;
  let isWatching = true;
  let before = process.threadCpuUsage();
  const tick = (): void => {
    const { user, system } = process.threadCpuUsage(before);
    turnUs = Math.max(turnUs, user + system);
    before = process.threadCpuUsage();
    if (isWatching) setImmediate(tick);
  };
  delay.enable();
  setImmediate(tick);
  return () => {
    isWatching = false;
    delay.disable();
    return { delayMs: delay.max / 1e6, turnMs: turnUs / 1000 };
  };
}

// What the machine does to an event loop that has nothing to do.
const watchIdle = watchLoop();
await setTimeout(idleMs);
const idle = watchIdle();

const watchBusy = watchLoop();
let isRight = true;
let totalMs = 0;
for (let run = 0; run < runs; run++) {
  for (const [name, request] of Object.entries(requests)) {
    // A new cache each time, so that all of it is done again.
    const verifier = createCachingVerifier(pool, { nowMs: () => request.nowMs });
    const release = await budget.reserve(bytes, 'shop', AbortSignal.timeout(60_000));
    // As the registry's client does with what arrives.
    for (const [digest, content] of request.layers) isRight &&= await matchesDigestInTurns(content, digest);
    const startedMs = performance.now();
    const { evidence } = await verifier.verify(request);
    totalMs += performance.now() - startedMs;
    release();
    isRight &&= evidence[0]?.assertions?.[set.fingerprint]?.holds === (name === 'free');
    isRight &&= evidence[0]?.statement !== undefined && evidence[0].statement.length > bytes / 2;
  }
}
const busy = watchBusy();
await pool.close();

const shown = ({ delayMs, turnMs }: typeof busy): string =>
  `delayed ${delayMs.toFixed(1)} ms at most, its longest turn takes ${turnMs.toFixed(1)} ms of the processor`;
process.stdout.write(
  `SBOM: ${packageCount} packages, ${(bytes / 1e6).toFixed(1)} MB in its envelope
Answers: ${isRight ? 'right' : 'WRONG'}, ${(totalMs / runs / 2).toFixed(0)} ms each
Event loop: ${shown(busy)}; ${maxDelayMs} ms are allowed
Idle, on this machine now: ${shown(idle)}
`,
);
// Where others keep the processors busy the delay is theirs: a turn that is short blocks nobody.
if (!isRight || (busy.delayMs >= maxDelayMs && (busy.turnMs >= maxDelayMs || idle.delayMs < maxDelayMs / 2)))
  process.exitCode = 1;
