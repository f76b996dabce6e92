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
    expect(parseRegistrySettings(text)).toEqual([
      { host: 'registry.local:5000', plainHttp: true, mechanisms: ['References', 'CosignTag'] },
      { host: 'docker.io' },
      { host: '[::1]:5000' },
    ]);
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
    ['registries: [{}]', /registries\[0\]\.host \(missing\): /],
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
