import { beforeAll, describe, expect, it } from 'vitest';
import { toFailure } from '../../../src/failures/failure.ts';
import { parseJwsEnvelope } from '../../../src/verification/notation/jws-envelope.ts';
import { makeChain, signedAtMs } from '../../support/notation-certificates.ts';
import { jwsOf, makeJws } from '../../support/notation-envelopes.ts';
import type { EnvelopeOptions } from '../../support/notation-envelopes.ts';
import { target } from '../../support/notation-requests.ts';

let options: EnvelopeOptions;
beforeAll(async () => {
  const { leaf, certificates } = await makeChain();
  options = { key: leaf.privateKey, certificates, target };
});

type Fields = Record<string, unknown>;
const parse = (value: unknown) =>
  parseJwsEnvelope(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));

function refusal(value: unknown): { code: string; message: string } {
  try {
    parse(value);
  } catch (thrown) {
    return toFailure(thrown);
  }
  throw new Error('it was read');
}

describe('a JWS envelope', () => {
  it('is read for what it states', () => {
    const envelope = parse(makeJws(options));
    expect(envelope).toMatchObject({
      algorithm: 'ES256',
      contentType: 'application/vnd.cncf.notary.payload.v1+json',
      attributes: {
        signingScheme: 'notary.x509',
        signingTimeMs: signedAtMs,
        critical: ['io.cncf.notary.signingScheme'],
        present: ['io.cncf.notary.signingScheme', 'io.cncf.notary.signingTime'],
      },
      signingAgent: 'test/1.0',
    });
    expect(JSON.parse(Buffer.from(envelope.payload).toString())).toEqual({ targetArtifact: target });
    expect(envelope.certificates).toHaveLength(3);
    expect(envelope.timestampToken).toBeUndefined();
  });

  it('fails for no signing agent', () => {
    for (const agent of [7, null, {}, 'x'.repeat(10_000)]) {
      const unprotect = (header: Fields): Fields => ({ ...header, 'io.cncf.notary.signingAgent': agent });
      expect(parse(makeJws({ ...options, unprotect })).algorithm).toBe('ES256');
    }
  });

  const protecting = (fields: Fields) => () =>
    makeJws({ ...options, protect: (header) => ({ ...header, ...fields }) });
  const unprotecting = (fields: Fields) => () =>
    makeJws({ ...options, unprotect: (header) => ({ ...header, ...fields }) });
  const enveloping = (edit: (envelope: Fields) => unknown) => () => edit(makeJws(options));
  const base64 = (text: string): string => Buffer.from(text).toString('base64url');
  const time = 'io.cncf.notary.signingTime';

  it.each<[string, () => unknown, RegExp | string]>([
    ['no JSON', () => 'nonsense', /is not valid JSON/],
    ['no object', () => [], /is no JSON object/],
    [
      'compact',
      enveloping(({ payload, signature }) => `${String(payload)}..${String(signature)}`),
      /is not valid JSON/,
    ],
    [
      'general serialization',
      enveloping(({ payload, ...signature }) => ({ payload, signatures: [signature] })),
      'The signature envelope is a general JWS; only flattened JSON is taken.',
    ],
    ['both serializations', enveloping((envelope) => ({ ...envelope, signatures: [] })), /is a general JWS/],
    ['a field beside the four', enveloping((envelope) => ({ ...envelope, extra: 1 })), /has fields beside/],
    [
      'a field in another case',
      enveloping((envelope) => ({ ...envelope, Payload: '' })),
      /has fields beside/,
    ],
    ['no payload', enveloping(({ payload: _, ...rest }) => rest), /lacks payload, protected or signature/],
    ['an empty payload', enveloping((envelope) => ({ ...envelope, payload: '' })), /has no payload/],
    ['an empty signature', enveloping((envelope) => ({ ...envelope, signature: '' })), /has no signature/],
    ['no unprotected header', enveloping(({ header: _, ...rest }) => rest), /has no unprotected header/],
    [
      'a padded payload',
      enveloping((envelope) => ({ ...envelope, payload: 'YQ==' })),
      /payload that is no base64url/,
    ],
    [
      'a payload of standard base64',
      enveloping((envelope) => ({ ...envelope, payload: 'a+/a' })),
      /no base64url/,
    ],
    ['another spelling of a payload', enveloping((e) => ({ ...e, payload: 'YR' })), /no base64url/],
    ['spaces in a payload', enveloping((e) => ({ ...e, payload: 'YWFh\nYWFh' })), /no base64url/],
    [
      'a protected header that is a list',
      enveloping((e) => ({ ...e, protected: base64('[]') })),
      /that is no object/,
    ],
    [
      'b64: false',
      protecting({ b64: false, crit: ['io.cncf.notary.signingScheme', 'b64'] }),
      /uses the header b64/,
    ],
    ['b64: true', protecting({ b64: true }), /uses the header b64/],
    ['an unprotected b64', unprotecting({ b64: false }), /uses the header b64/],
    [
      'an unprotected crit',
      unprotecting({ crit: [] }),
      /both protected and unprotected, or an unprotected crit/,
    ],
    [
      'an unprotected alg beside the protected',
      unprotecting({ alg: 'none' }),
      /both protected and unprotected/,
    ],
    ['no alg', protecting({ alg: undefined }), /lacks alg or cty/],
    ['an alg that is no text', protecting({ alg: ['ES256'] }), /lacks alg or cty/],
    ['no cty', protecting({ cty: undefined }), /lacks alg or cty/],
    ['a crit that is no list', protecting({ crit: 'x' }), /has no list of critical headers/],
    ['a crit of numbers', protecting({ crit: [1] }), /has no list of critical headers/],
    ['no crit', protecting({ crit: undefined }), /has no list of critical headers/],
    [
      'a scheme that is no text',
      protecting({ 'io.cncf.notary.signingScheme': 1 }),
      /states no signing scheme/,
    ],
    ['a crit in another case', protecting({ Crit: [] }), /spells a protected header as "Crit"/],
    [
      'an expiry in another case',
      protecting({ 'io.cncf.notary.Expiry': '2020-01-01T00:00:00Z' }),
      /spells a protected header as "io\.cncf\.notary\.Expiry"/,
    ],
    ['a time in words', protecting({ [time]: 'yesterday' }), /signingTime that is no time of RFC 3339/],
    ['a time without a zone', protecting({ [time]: '2030-01-01T00:00:00' }), /no time of RFC 3339/],
    ['a time that is null', protecting({ [time]: null }), /no time of RFC 3339/],
    ['a time that is a number', protecting({ [time]: 1 }), /no time of RFC 3339/],
    ['a 30th of February', protecting({ [time]: '2030-02-30T00:00:00Z' }), /no time of RFC 3339/],
    ['no certificates', unprotecting({ x5c: [] }), /has no certificates/],
    ['certificates that are no list', unprotecting({ x5c: 'MII' }), /has no certificates \(x5c\)/],
    ['a certificate that is no base64', unprotecting({ x5c: ['*'] }), /certificate that is no base64/],
    ['T11 a chain of eleven', unprotecting({ x5c: Array(11).fill('AAAA') }), /has more than 10 certificates/],
    ['T11 a chain of thousands', unprotecting({ x5c: Array(5000).fill('') }), /has more than 1000 values/],
    [
      'T11 a certificate of a megabyte',
      unprotecting({ x5c: [Buffer.alloc(1 << 20).toString('base64')] }),
      /has a certificate larger than 32768 bytes/,
    ],
    [
      'T11 a timestamp of a megabyte',
      unprotecting({ 'io.cncf.notary.timestampSignature': Buffer.alloc(1 << 20).toString('base64') }),
      /has a timestamp larger than 16384 bytes/,
    ],
    [
      'a timestamp that is no text',
      unprotecting({ 'io.cncf.notary.timestampSignature': 7 }),
      /timestamp that is no text/,
    ],
    [
      'T11 a large payload',
      () => makeJws({ ...options, payload: Buffer.alloc(1 << 17, 'a') }),
      /has a payload larger than 65536 bytes/,
    ],
    [
      'T11 a large signature',
      () => makeJws({ ...options, spoil: () => Buffer.alloc(2000) }),
      /signature larger than 1024/,
    ],
    [
      'T11 hundreds of attributes',
      protecting(Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`a${i}`, 1]))),
      /has more than 64 protected attributes/,
    ],
  ])('is refused: %s', (_, make, message) => {
    const { code, message: said } = refusal(make());
    expect(code).toBe('PayloadInvalid');
    if (typeof message === 'string') expect(said).toBe(message);
    else expect(said).toMatch(message);
  });

  it('T26 is refused with a key twice, in the envelope or the protected header', () => {
    const whole = JSON.stringify(makeJws(options));
    expect(refusal(whole.replace('{"payload"', '{"payload":"e30","payload"')).message).toMatch(
      /has the key "payload" twice/,
    );
    const header = `{"alg":"ES256","cty":"x","crit":[],"crit":["io.cncf.notary.signingScheme"]}`;
    expect(refusal(jwsOf(header, options)).message).toMatch(/has the key "crit" twice/);
  });
});
