import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RefwardenError } from '../../../src/failures/failure.ts';
import { verifyRevocationList } from '../../../src/verification/revocation/revocation-list.ts';
import type { RevocationStatus } from '../../../src/verification/revocation/revocation-status.ts';
import { parseCertificate } from '../../../src/verification/x509/certificate.ts';
import { DerReader, derTag } from '../../../src/verification/x509/der.ts';
import { encodeDer } from '../../../src/verification/x509/encode-der.ts';
import { extensionOid } from '../../../src/verification/x509/extensions.ts';
import { withChildren } from '../../support/changed-children.ts';
import {
  bits,
  extension,
  integer,
  nothing,
  primitive,
  sequence,
  tagged,
  timeOf,
  uri,
} from '../../support/der-values.ts';
import { rejectionOf } from '../../support/failure-of.ts';
import { entryOf, makeList, scope, scopeFlag } from '../../support/make-revocation.ts';
import type { ListOptions } from '../../support/make-revocation.ts';
import {
  basicConstraints,
  certify,
  keyUsage,
  ofAuthority,
  pkiNowMs,
  signed,
} from '../../support/test-pki.ts';
import type { TestHolder } from '../../support/test-pki.ts';

const hourMs = 3_600_000;
const issuer = certify('issuer', { extensions: ofAuthority });
const leaf = certify('leaf', { by: issuer });
const between = certify('between', { by: issuer, extensions: ofAuthority });
const uris = ['ldap://directory.test/issuer', 'http://crl.test/issuer.crl'];

const verify = (list: Uint8Array, subject = leaf, by = issuer): Promise<RevocationStatus> =>
  verifyRevocationList(list, {
    certificate: parseCertificate(subject.der, 'The leaf'),
    issuer: parseCertificate(by.der, 'The issuer'),
    uris,
    nowMs: pkiNowMs,
  });
const refusal = (options: ListOptions, subject = leaf): Promise<string> =>
  rejectionOf(() => verify(makeList(issuer, options), subject));
const good = { status: 'good', untilMs: pkiNowMs + hourMs };

describe('a list of revoked certificates', () => {
  it('that does not name the certificate says that it is good', async () => {
    expect(await verify(makeList(issuer))).toEqual(good);
    expect(await verify(makeList(issuer, { entries: [{ serial: leaf.serial + 1, reason: 1 }] }))).toEqual(
      good,
    );
  });

  it('says when, why and since when', async () => {
    const entry = { serial: leaf.serial, reason: 4, invalidFromMs: pkiNowMs - 9 * hourMs };
    expect(await verify(makeList(issuer, { entries: [{ serial: 5 }, entry, { serial: 6 }] }))).toEqual({
      status: 'revoked',
      untilMs: pkiNowMs + hourMs,
      revokedAtMs: pkiNowMs - 2 * hourMs,
      reason: 4,
      invalidFromMs: pkiNowMs - 9 * hourMs,
    });
  });

  it('finds each of many entries, and a serial number that another one begins with', async () => {
    const serials = [1, 0x7f, 0x80, 0xff, 0x100, 0x1001, 0x100102, 2 ** 40];
    for (const serial of serials) {
      const subject = certify('leaf', { by: issuer, serial });
      const others = serials.filter((other) => other !== serial).map((other) => ({ serial: other }));
      expect((await verify(makeList(issuer, { entries: others }), subject)).status).toBe('good');
      expect((await verify(makeList(issuer, { entries: [...others, { serial }] }), subject)).status).toBe(
        'revoked',
      );
    }
  });

  it.each([100, 200, 300, 40_000])(
    'finds what stands behind an entry of %i bytes and more',
    async (length) => {
      const long = { serial: 5, extensions: [extension('1.2.3', Buffer.alloc(length))] };
      expect((await verify(makeList(issuer, { entries: [long, { serial: 6 }] }))).status).toBe('good');
      expect((await verify(makeList(issuer, { entries: [long, { serial: leaf.serial }] }))).status).toBe(
        'revoked',
      );
    },
  );

  it('T11 of hundreds of thousands of entries is looked through in place', async () => {
    const entry = Buffer.from(entryOf({ serial: 0x7fff_ffff, reason: 1 }));
    const at = entry.indexOf(Buffer.from('7fffffff', 'hex'));
    const rawEntries = Buffer.alloc(entry.length * 200_000);
    for (let index = 0; index < 200_000; index++) {
      entry.writeUInt32BE(0x2000_0000 + index, at);
      entry.copy(rawEntries, index * entry.length);
    }
    const list = makeList(issuer, { rawEntries });
    expect(list.length).toBeGreaterThan(7_000_000);
    expect(await verify(list)).toEqual(good);
    const last = certify('leaf', { by: issuer, serial: 0x2000_0000 + 199_999 });
    expect((await verify(list, last)).status).toBe('revoked');
  });

  it('T11 larger than 32 MiB is not read', async () => {
    expect(await rejectionOf(() => verify(new Uint8Array(32 * 1024 * 1024 + 1)))).toBe(
      'RevocationUnknown: The list is larger than 33554432 bytes.',
    );
  });

  it('T25 of another authority by the same name does not count', async () => {
    const impostor = certify('issuer', { extensions: ofAuthority });
    expect(await rejectionOf(() => verify(makeList(impostor)))).toBe(
      'RevocationUnknown: The signature of the list does not verify.',
    );
  });

  it('of another name does not count', async () => {
    expect(await refusal({ issuerName: 'other' })).toBe(
      'RevocationUnknown: The list is of another authority than the one that issued the certificate.',
    );
  });

  it('of an authority that may not sign lists does not count', async () => {
    const plain = certify('plain', { extensions: [basicConstraints(), keyUsage('keyCertSign')] });
    const subject = certify('leaf', { by: plain });
    expect(await rejectionOf(() => verify(makeList(plain), subject, plain))).toBe(
      'RevocationUnknown: The authority may not sign lists (keyUsage).',
    );
  });

  it('of an authority whose certificate limits no usage counts', async () => {
    const unlimited = certify('unlimited', { extensions: [basicConstraints()] });
    const subject = certify('leaf', { by: unlimited });
    expect(await verify(makeList(unlimited), subject, unlimited)).toEqual(good);
  });

  it('that is dated by UTCTime, as all before 2050 are to be, counts', async () => {
    const body = withChildren(new DerReader(makeList(issuer)).open().read().whole, (parts) => [
      ...parts.slice(0, 3),
      ...['261126110000Z', '261126130000Z'].map((text) => encodeDer(derTag.utcTime, Buffer.from(text))),
    ]);
    expect(await verify(signed(body, issuer.key))).toEqual(good);
  });

  it('T25 that is stale does not count', async () => {
    expect(await refusal({ nextUpdateMs: pkiNowMs - 1_000 })).toBe(
      'RevocationUnknown: The list is stale: it counted until 2026-11-26T11:59:59.000Z.',
    );
  });

  it('T34 that is stale still revokes what it names, but for a hold', async () => {
    const stale = (reason: number): ListOptions => ({
      nextUpdateMs: pkiNowMs - 1_000,
      entries: [{ serial: leaf.serial, reason }],
    });
    expect((await verify(makeList(issuer, stale(1)))).status).toBe('revoked');
    expect(await refusal(stale(6))).toContain('The list is stale');
  });

  it('that does not say until when it counts does not count', async () => {
    expect(await refusal({ nextUpdateMs: null })).toBe(
      'RevocationUnknown: The list does not say until when it counts.',
    );
  });

  it('of the future does not count', async () => {
    expect(await refusal({ thisUpdateMs: pkiNowMs + hourMs })).toBe(
      'RevocationUnknown: The list is dated 2026-11-26T13:00:00.000Z, in the future.',
    );
  });

  it.each<[string, Uint8Array, string]>([
    [
      'is a delta',
      extension(extensionOid.deltaCrlIndicator, integer(4), true),
      'The list holds changes only (delta CRL)',
    ],
    [
      'is to be read with a delta',
      extension(extensionOid.freshestCrl, sequence()),
      'The list is to be read with a list of changes (delta CRL), which is not supported',
    ],
    [
      'is indirect',
      scope(scopeFlag(4)),
      'The list is of several authorities (indirect CRL), which is not supported',
    ],
    [
      'is for some reasons',
      scope(primitive(3, Buffer.of(6, 0x40))),
      'The list is for some reasons only, which is not supported',
    ],
    ['is for authorities', scope(scopeFlag(2)), 'The list is for other certificates of the authority'],
    ['is for attributes', scope(scopeFlag(5)), 'The list is for other certificates of the authority'],
    [
      'is of another distribution point',
      scope(tagged(0, tagged(0, uri('http://crl.test/other.crl')))),
      'The list is for other certificates of the authority',
    ],
    [
      'has a critical extension',
      extension('1.2.3', bits(Buffer.of(0)), true),
      'The list has the critical extension 1.2.3, which is not supported',
    ],
  ])('that %s does not count', async (_, added, why) => {
    expect(await refusal({ extensions: [added] })).toBe(`RevocationUnknown: ${why}.`);
  });

  it('for such certificates, and of that distribution point, counts', async () => {
    const point = tagged(0, tagged(0, ...uris.map(uri)));
    expect(await verify(makeList(issuer, { extensions: [scope(point, scopeFlag(1))] }))).toEqual(good);
    expect(await verify(makeList(issuer, { extensions: [scope(scopeFlag(2))] }), between)).toEqual(good);
    expect(await refusal({ extensions: [scope(scopeFlag(1))] }, between)).toContain('for other certificates');
  });

  it('whose scope says true as DER does not does not parse', async () => {
    expect(await refusal({ extensions: [scope(primitive(4, Buffer.of(1)))] })).toBe(
      'RevocationUnknown: The list does not parse: it has a malformed boolean.',
    );
  });

  it('with a critical extension in any entry does not count', async () => {
    const certificateIssuer = extension(extensionOid.certificateIssuer, nothing, true);
    expect(await refusal({ entries: [{ serial: 5, extensions: [certificateIssuer] }] })).toBe(
      'RevocationUnknown: An entry of the list has the critical extension 2.5.29.29, which is not supported.',
    );
  });

  it('with an entry that only deltas have, or twice the same, does not count', async () => {
    expect(await refusal({ entries: [{ serial: leaf.serial, reason: 8 }] })).toContain(
      'an entry that only a list of changes has',
    );
    expect(await refusal({ entries: [{ serial: leaf.serial }, { serial: leaf.serial }] })).toContain(
      'a certificate listed twice',
    );
  });

  it.each(['04020000', '3002', '30800000', '300302', '3003020500', '3003818102', '308400000003020101'])(
    'of entries %s does not parse',
    async (hex) => {
      expect(await refusal({ rawEntries: Buffer.from(hex, 'hex') })).toMatch(
        /^RevocationUnknown: The list does not parse: it has /,
      );
    },
  );

  it('T11 T28 with many critical entries is not looked at entry by entry', async () => {
    const date = timeOf(pkiNowMs);
    const critical = [extension(extensionOid.invalidityDate, date, true)];
    const entries = Array.from({ length: 1001 }, (_, i) => ({ serial: 1_000_000 + i, extensions: critical }));
    expect(await verify(makeList(issuer, { entries: entries.slice(1) }))).toEqual(good);
    expect(await refusal({ entries })).toBe(
      'RevocationUnknown: The list does not parse: it has more than 1000 entries with critical extensions.',
    );
  });

  it('T28 of many entries leaves others their turn, but not after each', async () => {
    const list = makeList(issuer, {
      entries: Array.from({ length: 70_000 }, (_, i) => ({ serial: 1_000_000 + i })),
    });
    let turns = 0;
    let isVerified = false;
    const takeTurns = (): void => {
      if (isVerified) return;
      turns++;
      setImmediate(takeTurns);
    };
    setImmediate(takeTurns);
    await verify(list);
    isVerified = true;
    expect(turns).toBeGreaterThan(0);
    expect(turns).toBeLessThan(10);
  });

  it('T25 is verified by the key of each authority that it is held against', async () => {
    const list = makeList(issuer);
    const impostor = certify('issuer', { extensions: ofAuthority });
    for (let i = 0; i < 2; i++) {
      expect(await verify(list)).toEqual(good);
      expect(await rejectionOf(() => verify(list, leaf, impostor))).toBe(
        'RevocationUnknown: The signature of the list does not verify.',
      );
    }
  });

  describe('that is kept', () => {
    const impostors = Array.from({ length: 17 }, () => certify('issuer', { extensions: ofAuthority }));
    /** Whether its signature still counts when its bytes are altered after these were held against it. */
    const isRemembered = async (...authorities: readonly TestHolder[]): Promise<boolean> => {
      const list = Buffer.from(makeList(issuer));
      for (const by of authorities) await verify(list, leaf, by).catch(() => undefined);
      list[list.length - 1] = (list.at(-1) ?? 0) ^ 1;
      return (await rejectionOf(() => verify(list))) === 'nothing was thrown';
    };

    it('T11 is hashed once for all who ask', async () => {
      expect(await isRemembered()).toBe(false);
      expect(await isRemembered(issuer)).toBe(true);
      expect(await isRemembered(...impostors.slice(0, 15), issuer)).toBe(true);
    });

    it('T11 is remembered under sixteen keys, and no more', async () => {
      expect(await isRemembered(...impostors.slice(0, 16), issuer)).toBe(false);
      expect(await isRemembered(...impostors, issuer)).toBe(false);
    });
  });

  it('T11 altered anywhere is never good, and never a defect', async () => {
    const list = makeList(issuer, { entries: [{ serial: leaf.serial, reason: 1 }] });
    await fc.assert(
      fc.asyncProperty(fc.nat(list.length - 1), fc.integer({ min: 1, max: 255 }), async (index, change) => {
        const altered = Buffer.from(list);
        altered[index] = (altered[index] ?? 0) ^ change;
        try {
          expect((await verify(altered)).status).toBe('revoked');
        } catch (thrown) {
          if (!(thrown instanceof RefwardenError)) throw thrown;
          expect(thrown.code).toBe('RevocationUnknown');
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a list with more than belongs there', () => {
  const of = (options: ListOptions): Promise<string> => refusal({ entries: [], ...options });
  const more = 'RevocationUnknown: The list does not parse: it has more than belongs there.';

  it('is refused after its signature, after its extensions, in its scope and in an entry', async () => {
    const list = makeList(issuer);
    const outer = new DerReader(list).read().content;
    expect(await rejectionOf(() => verify(sequence(outer, nothing)))).toBe(more);
    const body = new DerReader(outer).read().content;
    expect(await rejectionOf(() => verify(signed(sequence(body, nothing), issuer.key)))).toBe(more);
    expect(await of({ extensions: [scope(scopeFlag(1), nothing)] })).toBe(more);
    const entry = sequence(integer(leaf.serial), timeOf(pkiNowMs), sequence(), nothing);
    expect(await of({ rawEntries: entry })).toBe(more);
  });

  it('is refused in the date of an entry', async () => {
    const date = extension(
      extensionOid.invalidityDate,
      Buffer.concat([timeOf(pkiNowMs), Uint8Array.from(nothing)]),
    );
    expect(await of({ entries: [{ serial: leaf.serial, extensions: [date] }] })).toBe(more);
  });
});

describe('what an entry leaves out', () => {
  it('is left out of the answer', async () => {
    expect(await verify(makeList(issuer, { entries: [{ serial: leaf.serial }] }))).toStrictEqual({
      status: 'revoked',
      untilMs: pkiNowMs + hourMs,
      revokedAtMs: pkiNowMs - 2 * hourMs,
    });
  });
});

describe('the bounds of a list', () => {
  it('T11 are 32 MiB', async () => {
    const tooLarge = 'RevocationUnknown: The list is larger than 33554432 bytes.';
    expect(await rejectionOf(() => verify(new Uint8Array(32 * 1024 * 1024)))).not.toBe(tooLarge);
    expect(await rejectionOf(() => verify(new Uint8Array(32 * 1024 * 1024 + 1)))).toBe(tooLarge);
  });

  it('in time are its own update, to the millisecond that clocks may differ by', async () => {
    const dated = (thisUpdateMs: number): Promise<RevocationStatus> =>
      verify(makeList(issuer, { thisUpdateMs, nextUpdateMs: pkiNowMs + 9 * hourMs }));
    expect(await dated(pkiNowMs)).toMatchObject({ status: 'good' });
    expect(await dated(pkiNowMs + 300_000)).toMatchObject({ status: 'good' });
    await expect(dated(pkiNowMs + 301_000)).rejects.toThrow('in the future');
  });
});

describe('a list that names its places', () => {
  it('counts when one of them is one of the certificate', async () => {
    const places = scope(tagged(0, tagged(0, uri('http://elsewhere.test/'), uri(uris[1] ?? ''))));
    expect(await verify(makeList(issuer, { extensions: [places] }))).toEqual(good);
  });
});
