import { afterEach, describe, expect, it } from 'vitest';
import type {
  CrossCheckRequest,
  VerificationCaller,
  VerificationOutcome,
  VerificationRequest,
} from '../../src/verification/verification.ts';
import { createVerifier } from '../../src/verification/verifier.ts';
import { createVerifierPool } from '../../src/workers/verifier-pool.ts';
import type { VerifierPool } from '../../src/workers/verifier-pool.ts';
import { createKeyIssuer } from '../support/signed-layer.ts';
import {
  asking,
  attestationRequest,
  attestedContext,
  attestedImage,
  attester,
  statementOf,
} from '../support/signed-attestation.ts';

const pools: VerifierPool[] = [];
const open = (limits: Parameters<typeof createVerifierPool>[1] = {}): VerifierPool => {
  const pool = createVerifierPool({}, limits);
  pools.push(pool);
  return pool;
};
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

const numbers = Array.from({ length: 3000 }, (_, i) => i);
const easy = asking(['predicate.numbers.size() > 0']);
/** Each spends its whole budget, one after another: together they take the better part of a minute. */
const endless = Array.from({ length: 40 }, (_, i) =>
  asking([`predicate.numbers.all(n, predicate.numbers.all(m, n + m + ${i} >= 0))`]),
);
const requestFor = (change: Partial<VerificationRequest> = {}) =>
  attestationRequest(statementOf({ numbers }), { assertions: [easy], ...change });
const large = (change: Partial<VerificationRequest> = {}) =>
  attestationRequest(statementOf({ numbers, text: 'x'.repeat(200_000) }), change);
/** With statements as text, whatever kind of array they lie in. */
const shown = ({ evidence, rejections }: VerificationOutcome) => ({
  rejections,
  evidence: evidence.map(({ statement, ...item }) => ({
    ...item,
    statement: statement && Buffer.from(statement).toString(),
  })),
});
const crossCheck = (expression: string, change: Partial<CrossCheckRequest> = {}): CrossCheckRequest => ({
  checks: [{ expression, message: 'Asked.' }],
  uses: [],
  context: attestedContext,
  signatures: [],
  attestations: [],
  nowMs: 0,
  ...change,
});

describe('createVerifierPool', () => {
  it('answers as a verifier on the main thread does', async () => {
    const pool = open();
    const verifier = createVerifier();
    const stranger = createKeyIssuer('stranger');
    const requests = [
      requestFor({ keepStatements: true }),
      requestFor({ issuers: [stranger.issuer] }),
      requestFor({ assertions: [asking(['predicate.numbers.size() == 0'])] }),
      requestFor({ layers: new Map() }),
      large({ keepStatements: true }),
      large({ subjects: [] }),
      attestationRequest(Buffer.from('{"_type"'), { assertions: [easy] }),
    ];
    for (const request of requests) {
      expect(pool.needs(request.artifact.manifest)).toEqual(verifier.needs(request.artifact.manifest));
      const expected = await verifier.verify(request);
      expect(expected.evidence.length + expected.rejections.length).toBeGreaterThan(0);
      expect(shown(await pool.verify(request))).toEqual(shown(expected));
    }
  });

  it('leaves the bytes of the request where they are, and hands out no more than the statement', async () => {
    const statement = statementOf({ numbers });
    const request = attestationRequest(statement, { assertions: [easy], keepStatements: true });
    const before = [...request.layers.values()].map((bytes) => Buffer.from(bytes).toString('base64'));
    const { evidence } = await open().verify(request);
    expect([...request.layers.values()].map((bytes) => Buffer.from(bytes).toString('base64'))).toEqual(
      before,
    );
    const kept = evidence[0]?.statement ?? new Uint8Array();
    expect(Buffer.from(kept).equals(statement)).toBe(true);
    expect(kept.buffer.byteLength).toBe(statement.length);
  });

  it('takes cross-checks over what it proved', async () => {
    const pool = open();
    const { evidence } = await pool.verify(requestFor({ keepStatements: true }));
    const seen = { attestations: evidence };
    expect(
      await pool.crossCheck(
        crossCheck(
          "attestations[0].predicate.numbers.size() == 3000 && attestations[0].issuer == 'acme'",
          seen,
        ),
      ),
    ).toEqual({ holds: true });
    expect(await pool.crossCheck(crossCheck('attestations.size() == 2', seen))).toMatchObject({
      holds: false,
      failure: { code: 'AssertionFailed' },
    });
  });

  it('T28 T30 ends a runaway by time, says so, and answers others meanwhile and after it', async () => {
    const pool = open({ threads: 2, jobMs: 1500 });
    const runaway = pool.verify(requestFor({ assertions: endless }));
    const others = await Promise.all([pool.verify(requestFor()), pool.verify(large())]);
    for (const { evidence } of others) expect(evidence).toHaveLength(1);
    expect(await runaway).toEqual({
      evidence: [],
      rejections: [
        {
          code: 'ExpressionTooCostly',
          message: 'Verification with its expressions took longer than 1500 ms of computing.',
        },
      ],
    });
    expect((await pool.verify(requestFor())).evidence[0]?.assertions).toEqual({
      [easy.fingerprint]: { holds: true },
    });
  });

  it('T28 has no evidence of what ran out of memory, says so, and starts anew', async () => {
    const pool = open({ threads: 1, heapMiB: 64, jobMs: 60_000 });
    const items = JSON.stringify(Array.from({ length: 400_000 }, (_, i) => ({ [`k${i}`]: [] })));
    const heavy = attestationRequest(Buffer.from(statementOf('ITEMS').toString().replace('"ITEMS"', items)), {
      assertions: [asking(['predicate.size() > 0'])],
    });
    const [broken, next] = await Promise.all([pool.verify(heavy), pool.verify(requestFor())]);
    expect(broken).toEqual({
      evidence: [],
      rejections: [
        {
          code: 'VerifierStopped',
          message: 'The thread that verifies ended: it ran out of memory or broke down.',
        },
      ],
    });
    expect(next.evidence[0]?.assertions).toEqual({ [easy.fingerprint]: { holds: true } });
  });

  it('T28 has an inconclusive answer for what cannot be handed over', async () => {
    const pool = open({ threads: 1 });
    const odd = requestFor({ vouchers: [{ odd: () => undefined } as never] });
    expect(await pool.verify(odd)).toMatchObject({ evidence: [], rejections: [{ code: 'VerifierStopped' }] });
    expect((await pool.verify(requestFor())).evidence).toHaveLength(1);
  });

  const sized = (bytes: number): VerificationRequest =>
    attestationRequest(statementOf({ numbers, text: 'x'.repeat(bytes) }), { assertions: [easy] });
  const by = (tenant: string): VerificationCaller => ({ tenant, signal: new AbortController().signal });

  it('T28 takes the smallest of a tenant first, and those of tenants by turns', async () => {
    const pool = open({ threads: 1 });
    const order: string[] = [];
    const ask = async (name: string, bytes: number, tenant: string) => {
      const outcome = await pool.verify(sized(bytes), by(tenant));
      order.push(name);
      return outcome;
    };
    const outcomes = await Promise.all([
      ask('first', 200_000, 'shop'),
      ask('large', 400_000, 'shop'),
      ask('middle', 300_000, 'shop'),
      ask('small', 200_000, 'shop'),
      ask('of another', 900_000, 'bank'),
    ]);
    expect(order).toEqual(['first', 'of another', 'small', 'middle', 'large']);
    expect(outcomes.map(({ evidence }) => evidence.length)).toEqual([1, 1, 1, 1, 1]);
  });

  it('T28 is bounded in those who wait: one tenant leaves room for others', async () => {
    const pool = open({ threads: 1, waiting: 4 });
    const outcomes = await Promise.all(
      ['shop', 'shop', 'shop', 'shop', 'bank'].map((tenant) => pool.verify(sized(200_000), by(tenant))),
    );
    expect(outcomes.map(({ evidence }) => evidence.length)).toEqual([1, 1, 1, 0, 1]);
    expect(outcomes[3]).toEqual({
      evidence: [],
      rejections: [{ code: 'Overloaded', message: '2 verifications wait for a thread already.' }],
    });
  });

  it('T28 T30 keeps a thread free of the tenant that has runaways', async () => {
    const pool = open({ threads: 2, jobMs: 60_000 });
    const runaways = Promise.all(
      [1, 2, 3].map(() => pool.verify(requestFor({ assertions: endless }), by('shop'))),
    );
    expect((await pool.verify(requestFor(), by('bank'))).evidence).toHaveLength(1);
    await pool.close();
    expect((await runaways).map(({ rejections }) => rejections[0]?.code)).toEqual(
      Array(3).fill('VerifierStopped'),
    );
  });

  it('T28 drops what nobody waits for any more', async () => {
    const pool = open({ threads: 1, waiting: 2 });
    const leaving = new AbortController();
    const caller = { tenant: 'shop', signal: leaving.signal };
    const running = pool.verify(sized(200_000), caller);
    const dropped = pool.verify(sized(300_000), caller);
    leaving.abort();
    expect(await dropped).toEqual({
      evidence: [],
      rejections: [
        {
          code: 'DeadlineExceeded',
          message: 'The decision was not reached within the time that the caller gave.',
        },
      ],
    });
    expect(await pool.verify(sized(300_000), caller)).toMatchObject({
      rejections: [{ code: 'DeadlineExceeded' }],
    });
    expect((await running).evidence).toHaveLength(1);
    expect((await pool.verify(sized(300_000), by('shop'))).evidence).toHaveLength(1);
  });

  it('T30 starts no thread for what proves nothing that is asked of', async () => {
    const pool = open({ threads: 0 });
    const stranger = createKeyIssuer('stranger');
    expect(await pool.verify(requestFor({ issuers: [stranger.issuer], assertions: endless }))).toMatchObject({
      evidence: [],
      rejections: [{ code: 'SignerNotTrusted' }],
    });
  });

  it('T28 answers those who wait when it is closed, and those who come after', async () => {
    const pool = open({ threads: 1 });
    const waiting = [pool.verify(requestFor({ assertions: endless })), pool.crossCheck(crossCheck('true'))];
    await pool.close();
    const stopped = { code: 'VerifierStopped', message: 'Verification was stopped: the process is ending.' };
    expect(await Promise.all(waiting)).toEqual([
      { evidence: [], rejections: [stopped] },
      { holds: false, failure: stopped },
    ]);
    expect(await pool.crossCheck(crossCheck('true'))).toEqual({ holds: false, failure: stopped });
    expect((await pool.verify(requestFor({ assertions: [] }))).evidence).toHaveLength(1);
  });

  it('starts no thread for an ordinary signature', async () => {
    const pool = open({ threads: 0 });
    const { evidence } = await pool.verify(requestFor({ assertions: [] }));
    expect(evidence).toMatchObject([{ issuer: attester.issuer.name, subject: attestedImage }]);
  });
});
