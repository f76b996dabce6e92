import { describe, expect, it } from 'vitest';
import { createCachingVerifier } from '../../src/admission/caching-verifier.ts';
import type { AssertionResult } from '../../src/policy/evidence.ts';
import type {
  CrossCheckRequest,
  ProvenEvidence,
  VerificationOutcome,
  VerificationRequest,
  Verifier,
} from '../../src/verification/verification.ts';
import { createVerifier } from '../../src/verification/verifier.ts';
import { evidenceBy, startMs } from './sample-decision.ts';
import { asking, attestationRequest, attestedContext, statementOf } from '../support/signed-attestation.ts';

const minute = 60_000;
const testedType = 'https://example.com/tested/v1';
const set = asking(['namespaceObject.metadata.labels.env == "prod"'], undefined, ['namespaceObject']);
const holding: VerificationOutcome = {
  evidence: [
    {
      ...evidenceBy('acme', { kind: 'attestation', predicateType: testedType }),
      assertions: { [set.fingerprint]: { holds: true } },
    },
  ],
  rejections: [],
};

function counted({
  outcome = holding,
  result = { holds: true },
}: {
  readonly outcome?: VerificationOutcome;
  readonly result?: AssertionResult;
} = {}) {
  let now = startMs;
  /** `plain` are those that ask nothing of content. */
  const calls = { verify: 0, plain: 0, crossCheck: 0 };
  const verifier: Verifier = {
    needs: (manifest) => createVerifier().needs(manifest),
    verify: ({ assertions = [] }) => {
      calls[assertions.length === 0 ? 'plain' : 'verify']++;
      return Promise.resolve(outcome);
    },
    crossCheck: () => {
      calls.crossCheck++;
      return Promise.resolve(result);
    },
  };
  const cached = createCachingVerifier(verifier, { nowMs: () => now });
  return { cached, calls, at: (nowMs: number) => (now = nowMs) };
}

const request = (change: Partial<VerificationRequest> = {}) =>
  attestationRequest(statementOf({ passed: true }), { assertions: [set], nowMs: startMs, ...change });
const base = request();
const staging = {
  ...attestedContext,
  namespaceObject: { metadata: { name: 'shop', labels: { env: 'staging' } } },
};

describe('an outcome with assertions', () => {
  it.each<[string, Partial<VerificationRequest>]>([
    ['the labels of the namespace, which an expression names', { context: staging }],
    ['another expression', { assertions: [asking(['true'])] }],
    ['an expression more', { assertions: [set, asking(['true'])] }],
    ['statements', { keepStatements: true }],
  ])('T27 is not that of other questions: %s', async (_, change) => {
    const { cached, calls } = counted();
    await cached.verify(base);
    await cached.verify(base);
    expect(calls.verify).toBe(1);
    await cached.verify({ ...base, ...change });
    expect(calls.verify).toBe(2);
  });

  it('T27 is not that of no question', async () => {
    const { cached, calls } = counted();
    await cached.verify(base);
    expect(calls).toMatchObject({ plain: 1, verify: 1 });
    await cached.verify({ ...base, assertions: [] });
    expect(calls).toMatchObject({ plain: 1, verify: 1 });
  });

  it('T30 is found once for all workloads where nothing proves what is asked of', async () => {
    const { cached, calls } = counted({ outcome: { evidence: [evidenceBy('acme')], rejections: [] } });
    for (const context of [attestedContext, staging]) {
      expect((await cached.verify({ ...base, context })).evidence).toHaveLength(1);
    }
    expect(calls).toMatchObject({ plain: 1, verify: 0 });
  });

  it('T27 is that of every context that differs in what no expression names', async () => {
    const { cached, calls } = counted();
    await cached.verify(base);
    const workload = { kind: 'Job', namespace: 'shop', name: 'other' };
    const image = { ...attestedContext.image, tag: '1.5' };
    await cached.verify({ ...base, context: { ...attestedContext, workload, image } });
    expect(calls.verify).toBe(1);
  });

  it('T27 is kept briefly where an expression was given up', async () => {
    const failure = { code: 'ExpressionTooCostly', message: 'Too many steps.' } as const;
    const evidence: ProvenEvidence[] = [
      {
        ...evidenceBy('acme', { kind: 'attestation', predicateType: testedType }),
        assertions: { [set.fingerprint]: { holds: false, failure } },
      },
    ];
    const { cached, calls, at } = counted({ outcome: { evidence, rejections: [] } });
    await cached.verify(base);
    at(startMs + minute / 2 - 1);
    await cached.verify(base);
    expect(calls.verify).toBe(1);
    at(startMs + minute / 2);
    await cached.verify(base);
    expect(calls.verify).toBe(2);
  });

  it.each(['Overloaded', 'DeadlineExceeded'] as const)(
    'T27 T28 is not kept where nothing was looked at: %s',
    async (code) => {
      const { cached, calls } = counted({
        outcome: { evidence: [], rejections: [{ code, message: 'Not now.' }] },
      });
      await cached.verify(base);
      await cached.verify(base);
      expect(calls.plain).toBe(2);
    },
  );

  it('T28 is waited for as long as one of those who share it does, and asked for anew after that', () => {
    const signals: AbortSignal[] = [];
    const never = Promise.withResolvers<VerificationOutcome>();
    const cached = createCachingVerifier(
      {
        needs: (manifest) => createVerifier().needs(manifest),
        verify: (_, caller) => {
          signals.push(caller?.signal ?? AbortSignal.abort());
          return never.promise;
        },
        crossCheck: () => Promise.resolve({ holds: true }),
      },
      { nowMs: () => startMs },
    );
    const plain = { ...base, assertions: [] };
    const [first, second] = [new AbortController(), new AbortController()];
    void cached.verify(plain, { tenant: 'shop', signal: first.signal });
    void cached.verify(plain, { tenant: 'bank', signal: second.signal });
    first.abort();
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    second.abort();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    void cached.verify(plain, { tenant: 'shop', signal: new AbortController().signal });
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    never.resolve(holding);
  });

  it('T11 counts statements by their bytes, once for those who share them', async () => {
    const keeping = (bytes: number, issuers: number) => {
      const statement = new Uint8Array(bytes);
      const evidence = Array.from({ length: issuers }, (_, i) => ({ ...evidenceBy(`i${i}`), statement }));
      return counted({ outcome: { evidence, rejections: [] } });
    };
    const twice = async ({ cached, calls }: ReturnType<typeof counted>) => {
      await cached.verify(base);
      await cached.verify(base);
      return { calls: calls.plain, bytes: cached.caches()[0]?.bytes ?? 0 };
    };
    const MiB = 1024 * 1024;
    expect(await twice(keeping(20 * MiB, 10))).toMatchObject({ calls: 1 });
    expect((await twice(keeping(20 * MiB, 10))).bytes).toBeLessThan(21 * MiB);
    expect((await twice(keeping(20 * MiB, 10))).bytes).toBeGreaterThan(20 * MiB);
    expect(await twice(keeping(32 * MiB, 1))).toEqual({ calls: 2, bytes: 0 });
  });
});

const attestation = (passed: boolean, change: Partial<ProvenEvidence> = {}): ProvenEvidence => ({
  ...evidenceBy('acme'),
  kind: 'attestation',
  format: 'DsseEnvelope',
  predicateType: 'https://example.com/tested/v1',
  statement: statementOf({ passed }),
  ...change,
});
const question: CrossCheckRequest = {
  checks: [
    {
      expression: 'namespaceObject.metadata.labels.env == "prod" && signatures.size() == 1',
      message: 'Asked.',
    },
  ],
  uses: ['namespaceObject', 'signatures', 'attestations'],
  context: attestedContext,
  signatures: [evidenceBy('acme')],
  attestations: [attestation(true)],
  nowMs: startMs,
};

describe('a cross-check', () => {
  it('is asked once for many who ask at the same time', async () => {
    const { cached, calls } = counted();
    const results = await Promise.all(Array.from({ length: 20 }, () => cached.crossCheck(question)));
    expect(results).toEqual(Array.from({ length: 20 }, () => ({ holds: true })));
    expect(calls.crossCheck).toBe(1);
    expect(cached.caches().map(({ name, hits, misses }) => [name, hits, misses])).toEqual([
      ['evidence', 0, 0],
      ['crossChecks', 19, 1],
    ]);
  });

  it.each<[string, Partial<CrossCheckRequest>]>([
    ['another expression', { checks: [{ expression: 'true', message: 'Asked.' }] }],
    ['another message', { checks: question.checks.map((check) => ({ ...check, message: 'Else.' })) }],
    ['context that an expression names', { context: staging }],
    ['a signature less', { signatures: [] }],
    ['a signature by another', { signatures: [evidenceBy('vendor')] }],
    ['a signature of another time', { signatures: [evidenceBy('acme', { signedAtMs: startMs })] }],
    ['another statement', { attestations: [attestation(false)] }],
    ['no statement', { attestations: [{ ...attestation(true), statement: undefined } as never] }],
    ['another issuer of the statement', { attestations: [attestation(true, { issuer: 'vendor' })] }],
    ['an expired attestation', { attestations: [attestation(true, { validUntilMs: startMs })] }],
  ])('T27 is not that of %s', async (_, change) => {
    const { cached, calls } = counted();
    await cached.crossCheck(question);
    await cached.crossCheck({ ...question, ...change });
    expect(calls.crossCheck).toBe(2);
  });

  it('T27 is that of the same evidence in another order and of the same bytes elsewhere', async () => {
    const { cached, calls } = counted();
    const many = { ...question, attestations: [attestation(true), attestation(false)] };
    await cached.crossCheck(many);
    await cached.crossCheck({ ...many, attestations: [attestation(false), attestation(true)] });
    await cached.crossCheck({ ...many, context: { ...attestedContext, workload: staging.workload } });
    expect(calls.crossCheck).toBe(1);
  });

  it.each([
    ['T34 ten minutes', {}, { holds: true }, 10 * minute],
    [
      'T25 as long as its evidence is valid',
      { attestations: [attestation(true, { validUntilMs: startMs + minute })] },
      { holds: true },
      minute,
    ],
    [
      'half a minute where it was given up',
      {},
      { holds: false, failure: { code: 'ExpressionTooCostly', message: '' } },
      minute / 2,
    ],
    [
      'half a minute where a thread broke down',
      {},
      { holds: false, failure: { code: 'VerifierStopped', message: '' } },
      minute / 2,
    ],
  ] as const)('is kept %s', async (_, change, result, forMs) => {
    const { cached, calls, at } = counted({ result });
    await cached.crossCheck({ ...question, ...change });
    at(startMs + forMs - 1);
    await cached.crossCheck({ ...question, ...change });
    expect(calls.crossCheck).toBe(1);
    at(startMs + forMs);
    await cached.crossCheck({ ...question, ...change });
    expect(calls.crossCheck).toBe(2);
  });

  it('T28 is not kept where nothing was looked at', async () => {
    const { cached, calls } = counted({
      result: { holds: false, failure: { code: 'Overloaded', message: '' } },
    });
    await cached.crossCheck(question);
    await cached.crossCheck(question);
    expect(calls.crossCheck).toBe(2);
  });
});
