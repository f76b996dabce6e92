import { describe, expect, it } from 'vitest';
import { parseRegistrySettings } from '../../src/registry/registry-settings.ts';

const refusal = (text: string): unknown => {
  try {
    return parseRegistrySettings(text);
  } catch (error) {
    return error;
  }
};

describe('parseRegistrySettings', () => {
  it('reads hosts with their settings', () => {
    const text = `
registries:
- host: registry.local:5000
  plainHttp: true
  mechanisms: [References, CosignTag]
- host: docker.io
- host: "[::1]:5000"
`;
    expect(parseRegistrySettings(text)).toEqual({
      registries: [
        { host: 'registry.local:5000', plainHttp: true, mechanisms: ['References', 'CosignTag'] },
        { host: 'docker.io' },
        { host: '[::1]:5000' },
      ],
      limits: {},
    });
  });

  it('reads where a host is asked instead, and how it is connected to', () => {
    const text = `
registries:
- {host: docker.io, mirror: cache.internal:5000, prefix: team/dockerhub}
- host: cache.internal:5000
  caFile: ca.pem
  clientCertificate: {certFile: client.pem, keyFile: client-key.pem}
  proxy: http://proxy.internal:3128
`;
    expect(parseRegistrySettings(text).registries).toEqual([
      { host: 'docker.io', mirror: 'cache.internal:5000', prefix: 'team/dockerhub' },
      {
        host: 'cache.internal:5000',
        caFile: 'ca.pem',
        clientCertificate: { certFile: 'client.pem', keyFile: 'client-key.pem' },
        proxy: 'http://proxy.internal:3128',
      },
    ]);
  });

  it('reads the limits that are named, and no others', () => {
    expect(parseRegistrySettings('limits: {maxLayerBytes: 1024, tagTtlMs: 500}')).toEqual({
      registries: [],
      limits: { maxLayerBytes: 1024, tagTtlMs: 500 },
    });
  });

  it.each([
    [
      'registries: [{host: "https://ghcr.io"}]',
      /registries\[0\]\.host \("https:\/\/ghcr.io"\): is no registry host/,
    ],
    ['registries: [{host: GHCR.io}]', /registries\[0\]\.host \("GHCR.io"\): is no registry host/],
    ['registries: [{host: 0x7f.1}]', /registries\[0\]\.host \("0x7f.1"\): is no registry host/],
    ['registries: [{host: a.io, plainHttp: "no"}]', /registries\[0\]\.plainHttp \("no"\): /],
    [
      'registries: [{host: a.io, mechanisms: []}]',
      /registries\[0\]\.mechanisms \(\[\]\): must name at least one/,
    ],
    ['registries: [{host: a.io, mechanisms: [Magic]}]', /registries\[0\]\.mechanisms\[0\] \("Magic"\): /],
    ['registries: [{host: a.io, mechanisms: [CosignTag, CosignTag]}]', /names a mechanism twice/],
    ['registries: [{host: a.io}, {host: a.io}]', /registries \(.*\): names a host twice/],
    ['registries: [{host: a.io, insecure: true}]', /registries\[0\] \(.*\): Unrecognized key: "insecure"/],
    [
      'registries: [{host: a.io, mirror: "https://b.io/x"}]',
      /\[0\]\.mirror \("https:\/\/b\.io\/x"\): is no registry host/,
    ],
    ['registries: [{host: a.io, mirror: "127.1"}]', /\[0\]\.mirror \("127\.1"\): is no registry host/],
    [
      'registries: [{host: a.io, mirror: a.io}]',
      /\[0\]\.mirror \("a\.io"\): is the host itself; leave it out/,
    ],
    [
      'registries: [{host: a.io, mirror: b.io}, {host: b.io, mirror: c.io}]',
      /\[0\]\.mirror \("b\.io"\): has a mirror of its own; name the host that is to be asked/,
    ],
    [
      'registries: [{host: a.io, mirror: b.io, proxy: "http://p:1"}]',
      /\[0\]\.proxy \("http:\/\/p:1"\): is not used, as b\.io is asked instead; put it into the entry of that host/,
    ],
    ['registries: [{host: a.io, mirror: b.io, plainHttp: true}]', /\[0\]\.plainHttp \(true\): is not used/],
    ['registries: [{host: a.io, mirror: b.io, caFile: x}]', /\[0\]\.caFile \("x"\): is not used/],
    [
      'registries: [{host: a.io, plainHttp: true, caFile: x}]',
      /\[0\]\.caFile \("x"\): is of no use over plain HTTP; leave it out, or plainHttp/,
    ],
    ['registries: [{host: a.io, caFile: ""}]', /\[0\]\.caFile \(""\): names no file/],
    [
      'registries: [{host: a.io, clientCertificate: {certFile: x}}]',
      /clientCertificate\.keyFile \(missing\): /,
    ],
    ...['/x', 'x/', 'A', 'a/../b', 'a b', ''].map((prefix): [string, RegExp] => [
      `registries: [{host: a.io, prefix: ${JSON.stringify(prefix)}}]`,
      /\[0\]\.prefix \(".*"\): is no path of a repository; write segments in lower case/,
    ]),
    ...[
      'proxy:3128',
      'socks5://p:1',
      'http://u:p@p:1',
      'http://p:1/x',
      'http://p:1?x',
      'http://0x7f.1:1',
      'http://p:99999',
    ].map((proxy): [string, RegExp] => [
      `registries: [{host: a.io, proxy: ${JSON.stringify(proxy)}}]`,
      /\[0\]\.proxy \(".*"\): is no proxy; write http:\/\/host:port or https:\/\/host:port, without user and path/,
    ]),
    ['registries: [{}]', /registries\[0\]\.host \(missing\): /],
    ['limits: {maxLayerByte: 1}', /limits \(.*\): Unrecognized key: "maxLayerByte"/],
    ['limits: {maxRetries: 0}', /limits\.maxRetries \(0\): Too small: expected number to be >=1/],
    ['limits: {maxRetries: 1.5}', /limits\.maxRetries \(1\.5\): Invalid input: expected int/],
    ['limits: {maxRetries: "2"}', /limits\.maxRetries \("2"\): Invalid input/],
    ['limits: {maxRetries: null}', /limits\.maxRetries \(null\): Invalid input/],
    ['limits: {maxRetries: 11}', /limits\.maxRetries \(11\): Too big: expected number to be <=10/],
    ['limits: {absentApiTtlMs: .inf}', /limits\.absentApiTtlMs \(null\): Invalid input/],
    ['limits: [1]', /limits \(\[1\]\): Invalid input/],
    ['', /the document \(.*\): /],
    ['a: [', /not valid YAML \(line 1\)/],
    ['registries: &a [*a]', /use YAML aliases/],
    [`# ${'x'.repeat(300_000)}`, /longer than 262144 characters/],
  ])('refuses %s', (text, message) => {
    expect(refusal(text)).toMatchObject({
      code: 'ConfigurationInvalid',
      message: expect.stringMatching(message) as string,
    });
  });
});
