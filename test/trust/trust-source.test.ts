import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createTrustSource } from '../../src/trust/trust-source.ts';
import { maxTrustFileBytes } from '../../src/trust/trust-file.ts';

const base = mkdtempSync(join(tmpdir(), 'trust-'));
const directory = join(base, 'trust');
mkdirSync(join(directory, 'folder'), { recursive: true });
writeFileSync(join(base, 'outside.json'), 'outside');
writeFileSync(join(directory, 'root.json'), '{"root":"é"}');
symlinkSync('root.json', join(directory, 'linked.json'));
writeFileSync(join(directory, 'large.json'), Buffer.alloc(maxTrustFileBytes + 1, 0x20));
writeFileSync(join(directory, 'binary.json'), Buffer.from([0xff, 0xfe]));
execFileSync('mkfifo', [join(directory, 'pipe')]);
afterAll(() => {
  rmSync(base, { recursive: true });
});

const source = createTrustSource({
  directory,
  configMaps: (name) => (name === 'acme-root' ? { 'trusted_root.json': '{}' } : undefined),
});
const file = (name: string) => source.material({ kind: 'file', name });

describe('createTrustSource', () => {
  it('has the root of the public-good instance built in', () => {
    const material = source.material({ kind: 'builtIn', name: 'PublicGood' });
    expect(material).toContain('https://rekor.sigstore.dev');
    expect(material).toContain('https://fulcio.sigstore.dev');
  });

  it('reads files of the trust directory, through links as mounted ConfigMaps have them', () => {
    expect(file('root.json')).toBe('{"root":"é"}');
    expect(file('linked.json')).toBe('{"root":"é"}');
  });

  it('reads keys of ConfigMaps', () => {
    expect(source.material({ kind: 'configMap', name: 'acme-root', key: 'trusted_root.json' })).toBe('{}');
  });

  it.each([
    ['../outside.json', 'TrustMaterialMissing', 'Trust file "../outside.json" is no plain file name.'],
    ['folder/root.json', 'TrustMaterialMissing', 'Trust file "folder/root.json" is no plain file name.'],
    ['..', 'TrustMaterialMissing', 'Trust file ".." is no plain file name.'],
    ['', 'TrustMaterialMissing', 'Trust file "" is no plain file name.'],
    ['root.json\0', 'TrustMaterialMissing', 'Trust file "root.json\\u0000" is no plain file name.'],
    [
      'absent.json',
      'TrustMaterialMissing',
      'Trust file absent.json cannot be read from the trust directory.',
    ],
    ['folder', 'TrustMaterialMissing', 'Trust file folder is no regular file.'],
    ['pipe', 'TrustMaterialMissing', 'Trust file pipe is no regular file.'],
    ['large.json', 'TrustMaterialInvalid', 'Trust file large.json is larger than 1048576 bytes.'],
    ['binary.json', 'TrustMaterialInvalid', 'Trust file binary.json is not readable UTF-8 text.'],
  ])('T22 answers for file %j with %s', (name, code, message) => {
    expect(file(name)).toEqual({ code, message });
  });

  it.each([
    ['other', 'trusted_root.json', 'ConfigMap "other" of the release namespace does not exist.'],
    ['acme-root', 'absent', 'ConfigMap "acme-root" of the release namespace has no key "absent".'],
    ['acme-root', 'constructor', 'ConfigMap "acme-root" of the release namespace has no key "constructor".'],
  ])('T22 answers for ConfigMap %s, key %s', (name, key, message) => {
    expect(source.material({ kind: 'configMap', name, key })).toEqual({
      code: 'TrustMaterialMissing',
      message,
    });
  });

  it('T22 answers for what was not set up', () => {
    const bare = createTrustSource({});
    expect(bare.material({ kind: 'file', name: 'root.json' })).toEqual({
      code: 'TrustMaterialMissing',
      message: 'Trust file "root.json" is named, and no trust directory is set.',
    });
    expect(bare.material({ kind: 'configMap', name: 'a', key: 'b' })).toEqual({
      code: 'TrustMaterialMissing',
      message: 'ConfigMap "a" of the release namespace is named, and ConfigMaps are not read here.',
    });
  });
});
