import { describe, expect, it } from 'vitest';
import { RefwardenError } from '../../../src/failures/failure.ts';
import { checkRevocation } from '../../../src/verification/revocation/check-revocation.ts';
import type { RevocationOptions } from '../../../src/verification/revocation/check-revocation.ts';
import type {
  RevocationAnswer,
  RevocationSource,
} from '../../../src/verification/revocation/revocation-source.ts';
import { extensionOid, purposeOid } from '../../../src/verification/x509/extensions.ts';
import { extension, sequence, tagged, uri } from '../../support/der-values.ts';
import { makeAnswer, makeList } from '../../support/make-revocation.ts';
import {
  certify,
  keyUsage,
  listsAt,
  ocspAt,
  ofAuthority,
  pkiNowMs,
  purpose,
} from '../../support/test-pki.ts';
import type { TestHolder } from '../../support/test-pki.ts';

const hourMs = 3_600_000;
const responderUrl = 'http://ocsp.test/';
const listUrl = 'http://crl.test/a.crl';
const root = certify('root', { extensions: ofAuthority });
const leafOf = (...extensions: Uint8Array[]): TestHolder => certify('leaf', { by: root, extensions });
const named = leafOf(ocspAt(responderUrl), listsAt(listUrl));

interface TestSource extends RevocationSource {
  readonly asked: string[];
  readonly confirmed: (RevocationAnswer & { readonly untilMs: number })[];
}

/** What each URL answers; others do not. */
function sourceOf(answers: Readonly<Record<string, Uint8Array>>): TestSource {
  const asked: string[] = [];
  const confirmed: TestSource['confirmed'] = [];
  const answer = (url: string): Promise<Uint8Array> => {
    asked.push(url);
    const bytes = answers[url];
    if (bytes !== undefined) return Promise.resolve(bytes);
    return Promise.reject(new RefwardenError('RegistryTimeout', `${url}: no answer in time.`));
  };
  return {
    asked,
    confirmed,
    ocsp: answer,
    crl: answer,
    confirm: (what, untilMs) => void confirmed.push({ ...what, untilMs }),
  };
}

const check = (
  chain: readonly TestHolder[],
  source: RevocationSource | undefined,
  options: Partial<RevocationOptions> = {},
) =>
  checkRevocation(
    chain.map(({ der }) => der),
    { source, nowMs: pkiNowMs, ...options },
  );
const untilMs = pkiNowMs + hourMs;
const revokedAnswer = (status: object = {}): Uint8Array => makeAnswer(named, root, { status });
const dead = 'http://ocsp.test/: no answer in time.';

describe('checkRevocation', () => {
  it('asks nobody about certificates that name no service, and about a root', async () => {
    const source = sourceOf({});
    const selfSigned = certify('root', { extensions: [...ofAuthority, ocspAt(responderUrl)] });
    const plain = certify('leaf', { by: selfSigned });
    expect(await check([plain, selfSigned], source)).toEqual({ status: 'good', message: '' });
    expect(await check([selfSigned], source)).toEqual({ status: 'good', message: '' });
    expect(source.asked).toEqual([]);
  });

  it('asks nobody about a chain of sixteen certificates that name no service', async () => {
    const chain = [certify('root', { extensions: ofAuthority })];
    while (chain.length < 16) chain.unshift(certify(`below ${chain.length}`, { by: chain[0] }));
    expect(await check(chain, sourceOf({}))).toEqual({ status: 'good', message: '' });
  });

  it('T25 counts until the first of several answers ends', async () => {
    const between = certify('between', { by: root, extensions: [...ofAuthority, listsAt(listUrl)] });
    const leaf = certify('leaf', { by: between, extensions: [ocspAt(responderUrl)] });
    const until = async (ofLeaf: number, ofAuthority: number): Promise<number | undefined> => {
      const source = sourceOf({
        [responderUrl]: makeAnswer(leaf, between, { nextUpdateMs: ofLeaf }),
        [listUrl]: makeList(root, { nextUpdateMs: ofAuthority }),
      });
      return (await check([leaf, between, root], source)).validUntilMs;
    };
    expect(await until(untilMs, untilMs + hourMs)).toBe(untilMs);
    expect(await until(untilMs + hourMs, untilMs)).toBe(untilMs);
  });

  it('is content with a responder that says good, and confirms what was said', async () => {
    const source = sourceOf({ [responderUrl]: makeAnswer(named, root) });
    expect(await check([named, root], source)).toEqual({
      status: 'good',
      message: '',
      validUntilMs: untilMs,
    });
    expect(source.asked).toEqual([responderUrl]);
    expect(source.confirmed).toEqual([expect.objectContaining({ url: responderUrl, untilMs })]);
  });

  it('T34 says which certificate was revoked, when and why', async () => {
    const source = sourceOf({ [responderUrl]: revokedAnswer({ reason: 1 }) });
    expect(await check([named, root], source)).toEqual({
      status: 'revoked',
      message: 'The certificate CN=leaf was revoked at 2026-11-26T10:00:00.000Z (keyCompromise).',
      validUntilMs: untilMs,
    });
  });

  it('T34 says no more of a revocation than the responder does', async () => {
    const { message } = await check([named, root], sourceOf({ [responderUrl]: revokedAnswer() }));
    expect(message).toBe('The certificate CN=leaf was revoked at 2026-11-26T10:00:00.000Z.');
  });

  it('T34 finds a revoked authority above a good leaf', async () => {
    const between = certify('between', { by: root, extensions: [...ofAuthority, listsAt(listUrl)] });
    const leaf = certify('leaf', { by: between, extensions: [ocspAt(responderUrl)] });
    const source = sourceOf({
      [responderUrl]: makeAnswer(leaf, between),
      [listUrl]: makeList(root, { entries: [{ serial: between.serial, reason: 2 }] }),
    });
    const { status, message } = await check([leaf, between, root], source);
    expect(status).toBe('revoked');
    expect(message).toBe(
      'The certificate CN=between was revoked at 2026-11-26T10:00:00.000Z (cACompromise).',
    );
  });

  it.each([
    ['is dead', undefined],
    ['does not know the certificate', makeAnswer(named, root, { status: 'unknown' })],
    ['is forged', makeAnswer(named, root, { isForged: true })],
    ['is stale', makeAnswer(named, root, { nextUpdateMs: pkiNowMs - 1 })],
  ])('asks for the list where the responder %s', async (_, answer) => {
    const answers = answer === undefined ? {} : { [responderUrl]: answer };
    const good = sourceOf({ ...answers, [listUrl]: makeList(root) });
    expect((await check([named, root], good)).status).toBe('good');
    expect(good.asked).toEqual([responderUrl, listUrl]);
    expect(good.confirmed.map(({ url }) => url)).toEqual([listUrl]);
    const bad = sourceOf({ ...answers, [listUrl]: makeList(root, { entries: [{ serial: named.serial }] }) });
    expect((await check([named, root], bad)).status).toBe('revoked');
  });

  it('T28 is unknown, with every cause, where nothing tells', async () => {
    const source = sourceOf({ [listUrl]: makeList(root, { nextUpdateMs: pkiNowMs - 1_000 }) });
    expect(await check([named, root], source)).toEqual({
      status: 'unknown',
      message: `Whether CN=leaf is revoked is unknown. ${dead} List of revoked certificates of crl.test: The list is stale: it counted until 2026-11-26T11:59:59.000Z.`,
    });
    expect(source.confirmed).toEqual([]);
  });

  it('T28 is unknown without a source', async () => {
    expect(await check([named, root], undefined)).toMatchObject({
      status: 'unknown',
      message: expect.stringContaining(
        'OCSP responder ocsp.test: revocation services are not asked here.',
      ) as string,
    });
  });

  it('is revoked as soon as one certificate is, whatever is unknown of others', async () => {
    const between = certify('between', { by: root, extensions: [...ofAuthority, listsAt(listUrl)] });
    const leaf = certify('leaf', { by: between, extensions: [ocspAt(responderUrl)] });
    const revoked = sourceOf({ [responderUrl]: makeAnswer(leaf, between, { status: {} }) });
    expect((await check([leaf, between, root], revoked)).status).toBe('revoked');
    const unknown = sourceOf({ [responderUrl]: makeAnswer(leaf, between) });
    expect((await check([leaf, between, root], unknown)).status).toBe('unknown');
  });

  it.each([
    ['https only', [ocspAt('https://ocsp.test/')]],
    ['a directory only', [listsAt('ldap://directory.test/cn=crl')]],
    ['a user in the URL', [ocspAt('http://user:secret@ocsp.test/')]],
    ['a URL that is too long', [ocspAt(`http://ocsp.test/${'x'.repeat(2_032)}`)]],
    ['control characters', [ocspAt('http://ocsp.test/\r\nHost: other')]],
    ['a list by a name relative to its issuer', [pointOf(tagged(0, tagged(1, sequence())))]],
    ['a list of another authority', [pointOf(tagged(0, tagged(0, uri(listUrl))), tagged(2, uri('x')))]],
  ])('T28 is unknown where a certificate names %s', async (_, extensions) => {
    const source = sourceOf({});
    expect(await check([leafOf(...extensions), root], source)).toEqual({
      status: 'unknown',
      message: 'Whether CN=leaf is revoked is unknown. It names no service that is asked over http.',
    });
    expect(source.asked).toEqual([]);
  });

  it('T11 asks at most three services of a kind', async () => {
    const urls = (kind: string): string[] =>
      Array.from({ length: 9 }, (_, index) => `http://${kind}${index}.test/`);
    const source = sourceOf({});
    await check([leafOf(ocspAt(...urls('o')), listsAt(...urls('c'))), root], source);
    expect(source.asked).toEqual([...urls('o').slice(0, 3), ...urls('c').slice(0, 3)]);
  });

  it('is unknown where lists need a list of changes', async () => {
    const leaf = leafOf(listsAt(listUrl), extension(extensionOid.freshestCrl, sequence()));
    const { status, message } = await check([leaf, root], sourceOf({ [listUrl]: makeList(root) }));
    expect(status).toBe('unknown');
    expect(message).toContain('come with lists of changes (delta CRL), which are not supported.');
  });

  it('says nothing of lists of changes where it names no lists', async () => {
    const leaf = leafOf(ocspAt(responderUrl), extension(extensionOid.freshestCrl, sequence()));
    expect(await check([leaf, root], sourceOf({}))).toEqual({
      status: 'unknown',
      message: `Whether CN=leaf is revoked is unknown. ${dead}`,
    });
  });

  describe('of a signature with a trusted time', () => {
    const suspected = pkiNowMs - 10 * hourMs;
    const source = sourceOf({ [responderUrl]: revokedAnswer({ reason: 1, invalidFromMs: suspected }) });

    it('counts as good before the date since which the key is suspected', async () => {
      expect(await check([named, root], source, { atMs: suspected - 1 })).toMatchObject({
        status: 'good',
        validUntilMs: untilMs,
      });
    });

    it('T34 is unknown by a list that no longer counts: a newer one may have moved the date', async () => {
      const leaf = leafOf(listsAt(listUrl));
      const stale = makeList(root, {
        nextUpdateMs: pkiNowMs - 1000,
        entries: [{ serial: leaf.serial, reason: 1, invalidFromMs: suspected }],
      });
      const { status, message } = await check([leaf, root], sourceOf({ [listUrl]: stale }), {
        atMs: suspected - 1,
      });
      expect(status).toBe('unknown');
      expect(message).toContain('and what says since when it is invalid counted until');
      expect((await check([leaf, root], sourceOf({ [listUrl]: stale }), { atMs: suspected })).status).toBe(
        'revoked',
      );
    });

    it.each([
      ['at that date', { atMs: suspected }],
      ['later', { atMs: suspected + 1 }],
      ['without a time', {}],
    ])('T34 is revoked %s', async (_, options) => {
      const { status, message } = await check([named, root], source, options);
      expect(status).toBe('revoked');
      expect(message).toContain('(keyCompromise, invalid from 2026-11-26T02:00:00.000Z)');
    });

    it('T34 is revoked where no such date is stated, however early it was made', async () => {
      const undated = sourceOf({ [responderUrl]: revokedAnswer({ reason: 1 }) });
      expect((await check([named, root], undated, { atMs: 0 })).status).toBe('revoked');
    });
  });

  describe('of a responder without ocsp-nocheck', () => {
    const responderList = 'http://crl.test/responders.crl';
    const forAnswers = [keyUsage('digitalSignature'), purpose(false, purposeOid.ocspSigning)];
    const leaf = leafOf(ocspAt(responderUrl));
    const by = (...extensions: Uint8Array[]): [TestHolder, Uint8Array] => {
      const responder = certify('responder', { by: root, extensions: [...forAnswers, ...extensions] });
      return [responder, makeAnswer(leaf, root, { responder, certificates: [responder] })];
    };

    it('looks that one up in its list', async () => {
      const [responder, answer] = by(listsAt(responderList));
      const good = sourceOf({ [responderUrl]: answer, [responderList]: makeList(root) });
      expect((await check([leaf, root], good)).status).toBe('good');
      const entries = [{ serial: responder.serial }];
      const revoked = sourceOf({ [responderUrl]: answer, [responderList]: makeList(root, { entries }) });
      expect(await check([leaf, root], revoked)).toMatchObject({
        status: 'unknown',
        message: expect.stringContaining(
          'OCSP responder ocsp.test: Its own certificate is revoked.',
        ) as string,
      });
      const unknown = sourceOf({ [responderUrl]: answer });
      expect((await check([leaf, root], unknown)).message).toBe(
        `Whether CN=leaf is revoked is unknown. OCSP responder ocsp.test: Whether its own certificate is revoked is unknown: ${responderList}: no answer in time.`,
      );
    });

    it('T28 does not take one whose list cannot be read for one without', async () => {
      const [, answer] = by(extension(extensionOid.crlDistributionPoints, Buffer.of(0x30, 5)));
      const { status, message } = await check([leaf, root], sourceOf({ [responderUrl]: answer }));
      expect(status).toBe('unknown');
      expect(message).toContain('Its own certificate does not parse: it has an element that is cut short.');
    });

    it('takes one that names no list as it is', async () => {
      const [, answer] = by();
      expect((await check([leaf, root], sourceOf({ [responderUrl]: answer }))).status).toBe('good');
    });
  });

  it('T28 lets a defect through as one', async () => {
    const broken = { ...sourceOf({}), ocsp: () => Promise.reject(new TypeError('a defect')) };
    await expect(check([named, root], broken)).rejects.toThrow(new TypeError('a defect'));
  });

  it('refuses what is no chain', async () => {
    const stranger = certify('root', { extensions: ofAuthority });
    await expect(check([named, stranger], sourceOf({}))).rejects.toMatchObject({
      code: 'CertificateInvalid',
      message: 'The certificates are no chain from a leaf to its root.',
    });
    await expect(
      check(
        Array.from({ length: 17 }, () => root),
        sourceOf({}),
      ),
    ).rejects.toMatchObject({
      code: 'CertificateInvalid',
      message: 'The chain has more than 16 certificates.',
    });
  });

  it('T28 ends with the time of the decision, and not as unknown', async () => {
    await expect(check([named, root], sourceOf({}), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'DeadlineExceeded',
      message: 'OCSP responder ocsp.test: the time of the decision ended.',
    });
  });
});

function pointOf(...parts: Uint8Array[]): Uint8Array {
  return extension(extensionOid.crlDistributionPoints, sequence(sequence(...parts)));
}
