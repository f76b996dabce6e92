import { Tagged } from 'cborg';
import { beforeAll, describe, expect, it } from 'vitest';
import { toFailure } from '../../../src/failures/failure.ts';
import { parseCoseEnvelope } from '../../../src/verification/notation/cose-envelope.ts';
import { makeChain, signedAtMs } from '../../support/notation-certificates.ts';
import { coseBytes, coseOf, encodeCbor, makeCose } from '../../support/notation-envelopes.ts';
import type { EnvelopeOptions } from '../../support/notation-envelopes.ts';
import { target } from '../../support/notation-requests.ts';

let options: EnvelopeOptions;
beforeAll(async () => {
  const { leaf, certificates } = await makeChain();
  options = { key: leaf.privateKey, certificates, target };
});

type Fields = Record<string, unknown>;
const tagged = (content: unknown, tag = 18): Uint8Array => encodeCbor(new Tagged(tag, content));
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

function refusal(bytes: Uint8Array): string {
  try {
    parseCoseEnvelope(bytes);
  } catch (thrown) {
    const { code, message } = toFailure(thrown);
    expect(code).toBe('PayloadInvalid');
    return message;
  }
  throw new Error('it was read');
}

describe('a COSE envelope', () => {
  it('is read for what it states', () => {
    const envelope = parseCoseEnvelope(coseBytes(options));
    expect(envelope).toMatchObject({
      algorithm: 'ES256',
      contentType: 'application/vnd.cncf.notary.payload.v1+json',
      attributes: {
        signingScheme: 'notary.x509',
        signingTimeMs: signedAtMs,
        critical: ['io.cncf.notary.signingScheme'],
      },
      signingAgent: 'test/1.0',
    });
    expect(envelope.attributes.present.toSorted()).toEqual([
      'io.cncf.notary.signingScheme',
      'io.cncf.notary.signingTime',
    ]);
    expect(envelope.certificates.map((der) => Buffer.from(der))).toEqual(
      options.certificates.map((der) => Buffer.from(der)),
    );
  });

  it('takes a protected chain, and a time with a fraction', () => {
    const bytes = coseBytes({
      ...options,
      protect: (header) => ({
        ...header,
        33: options.certificates,
        'io.cncf.notary.signingTime': new Tagged(1, signedAtMs / 1000 + 0.5),
      }),
      unprotect: () => ({}),
    });
    const { certificates, attributes } = parseCoseEnvelope(bytes);
    expect(certificates).toHaveLength(3);
    expect(attributes.signingTimeMs).toBe(signedAtMs + 500);
  });

  const protecting = (fields: Fields) => (): Uint8Array =>
    coseBytes({ ...options, protect: (header) => ({ ...header, ...fields }) });
  const unprotecting = (fields: Fields) => (): Uint8Array =>
    coseBytes({ ...options, unprotect: (header) => ({ ...header, ...fields }) });
  const without = (label: string) => (): Uint8Array =>
    coseBytes({ ...options, protect: ({ [label]: _, ...header }) => header });
  const parts = (edit: (parts: unknown[]) => unknown, tag?: number) => (): Uint8Array =>
    tagged(edit(makeCose(options)), tag);
  const time = 'io.cncf.notary.signingTime';

  it.each<[string, () => Uint8Array, RegExp]>([
    ['nothing', () => hex(''), /is no strict CBOR/],
    ['no tag', () => encodeCbor(makeCose(options)), /is no tagged COSE_Sign1/],
    ['the tag of COSE_Sign', parts((all) => all, 98), /is no strict CBOR/],
    ['the tag of COSE_Mac0', parts((all) => all, 17), /is no strict CBOR/],
    ['a tag in a tag', parts((all) => new Tagged(18, all)), /is not the four parts/],
    ['something after it', () => Uint8Array.from([...coseBytes(options), 0]), /is no strict CBOR/],
    ['three parts', parts((all) => all.slice(0, 3)), /is not the four parts/],
    ['five parts', parts((all) => [...all, 1]), /is not the four parts/],
    ['a detached payload', parts(([a, b, , d]) => [a, b, null, d]), /is not the four parts/],
    ['an empty payload', parts(([a, b, , d]) => [a, b, new Uint8Array(0), d]), /has no payload/],
    ['an empty signature', parts(([a, b, c]) => [a, b, c, new Uint8Array(0)]), /has no signature/],
    [
      'protected headers that are a map',
      parts(([, b, c, d]) => [new Map(), b, c, d]),
      /is not the four parts/,
    ],
    ['empty protected headers', parts(([, b, c, d]) => [new Uint8Array(0), b, c, d]), /is no strict CBOR/],
    [
      'protected headers in a list',
      parts(([, b, c, d]) => [hex('80'), b, c, d]),
      /has headers that are no map/,
    ],
    [
      'a label that is bytes',
      parts(([, b, c, d]) => [hex('a1 41 01 01'), b, c, d]),
      /has a header without a label/,
    ],
    [
      'a label that is a fraction',
      parts(([, b, c, d]) => [hex('a1 f9 3c 00 26'), b, c, d]),
      /without a label/,
    ],
    ['no algorithm', without('1'), /states no algorithm/],
    ['an algorithm in words', protecting({ 1: 'ES256' }), /states no algorithm/],
    ['no content type', without('3'), /states no content type/],
    ['a content type by number', protecting({ 3: 50 }), /states no content type/],
    ['no crit', without('2'), /has no list of critical headers/],
    ['a crit of null', protecting({ 2: [null] }), /marks critical what is no label/],
    [
      'a scheme that is no text',
      protecting({ 'io.cncf.notary.signingScheme': 1 }),
      /states no signing scheme/,
    ],
    ['a time without a tag', protecting({ [time]: 1 }), /signingTime that is no time with the tag 1/],
    ['a time in words', protecting({ [time]: new Tagged(0, '2030-01-01T00:00:00Z') }), /is no strict CBOR/],
    ['a time out of range', protecting({ [time]: new Tagged(1, 1e15) }), /signingTime that is out of range/],
    ['a time that is a text', protecting({ [time]: new Tagged(1, '1') }), /is no strict CBOR/],
    [
      'an unprotected crit',
      unprotecting({ 2: [] }),
      /both protected and unprotected, or an unprotected crit/,
    ],
    ['an algorithm in both', unprotecting({ 1: 5 }), /both protected and unprotected/],
    ['no certificates', unprotecting({ 33: [] }), /has no certificates/],
    ['a certificate alone', unprotecting({ 33: new Uint8Array(1) }), /has no certificates \(x5chain\)/],
    [
      'T11 a chain of eleven',
      unprotecting({ 33: Array(11).fill(new Uint8Array(1)) }),
      /more than 10 certificates/,
    ],
    [
      'T11 a chain of thousands',
      unprotecting({ 33: Array(5000).fill(new Uint8Array(0)) }),
      /is no strict CBOR/,
    ],
    [
      'a timestamp that is a text',
      unprotecting({ 'io.cncf.notary.timestampSignature': 'x' }),
      /timestamp that is no byte string/,
    ],
    [
      'T11 a timestamp of a megabyte',
      unprotecting({ 'io.cncf.notary.timestampSignature': new Uint8Array(1 << 20) }),
      /timestamp larger than 16384 bytes/,
    ],
    ['T11 a bomb of nested lists', () => new Uint8Array(400_000).fill(0x81), /is no strict CBOR/],
    ['T11 a list that claims four billion entries', () => hex('d2 9a ff ff ff ff'), /is no strict CBOR/],
    ['T11 a text that claims four billion bytes', () => hex('d2 84 5a ff ff ff ff 00'), /is no strict CBOR/],
    ['a list of indefinite length', () => hex('d2 9f 40 a0 40 40 ff'), /is no strict CBOR/],
    ['a map of indefinite length', () => hex('d2 84 40 bf ff 40 40'), /is no strict CBOR/],
    ['bytes of indefinite length', () => hex('d2 84 5f 41 a0 ff a0 40 40'), /is no strict CBOR/],
    ['a break for a value', () => hex('d2 84 40 a1 01 ff 40 40'), /is no strict CBOR/],
    ['a length that is not the shortest', () => hex('d2 84 58 01 a0 a0 40 40'), /is no strict CBOR/],
    ['T26 a label twice', () => hex('d2 84 40 a2 01 26 01 05 40 40'), /is no strict CBOR/],
  ])('is refused: %s', (_, make, message) => {
    expect(refusal(make())).toMatch(message);
  });

  it('T26 is refused with a protected label twice', () => {
    const [header] = makeCose(options);
    // One entry more: the algorithm again.
    const twice = Uint8Array.from([header[0] ?? 0, ...header.subarray(1), 0x01, 0x25]);
    twice[0] = (twice[0] ?? 0) + 1;
    expect(refusal(tagged(coseOf(twice, options)))).toMatch(/is no strict CBOR/);
  });
});
