import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadRegistrySettings } from '../../src/registry/load-registry-settings.ts';
import { createTestAuthority } from '../support/tls-certificates.ts';
import { expectFailure } from './registry-access.ts';

const authority = await createTestAuthority();
const [client, other] = [await authority.client(), await authority.client()];

/** The files, `registries.yaml` among them; returns the path of that one. */
async function write(files: Record<string, string>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'settings-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return join(directory, 'registries.yaml');
}

const withCa = 'registries: [{host: a.io, caFile: ca.pem}]';
const withPair = 'registries: [{host: a.io, clientCertificate: {certFile: c.pem, keyFile: k.pem}}]';

describe('loadRegistrySettings', () => {
  it('reads TLS material that stands beside the file', async () => {
    const path = await write({
      'registries.yaml':
        'registries: [{host: a.io, caFile: ca.pem, clientCertificate: {certFile: c.pem, keyFile: k.pem}}, {host: b.io}]',
      'ca.pem': `# the registry's own\n${authority.ca}`,
      'c.pem': client.cert,
      'k.pem': client.key,
    });
    const { registries } = await loadRegistrySettings(path, ['c.io', 'b.io']);
    expect(registries).toEqual([
      {
        host: 'a.io',
        ca: expect.stringContaining(authority.ca) as string,
        clientCertificate: { cert: client.cert, key: client.key },
      },
      { host: 'b.io', plainHttp: true },
      { host: 'c.io', plainHttp: true },
    ]);
  });

  it.each([
    [withCa, {}, /^caFile of registry a\.io \(.*ca\.pem\) cannot be read: it does not exist\.$/],
    [withCa, { 'ca.pem': '' }, /^caFile of registry a\.io \(ca\.pem\) holds no certificate: give those/],
    [withCa, { 'ca.pem': client.key }, /^caFile of registry a\.io \(ca\.pem\) holds no certificate/],
    [
      withCa,
      { 'ca.pem': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' },
      /^caFile of registry a\.io \(ca\.pem\) holds a certificate that does not parse\.$/,
    ],
    [withCa, { 'ca.pem': ' '.repeat(1_048_577) }, /cannot be read: it is larger than 1048576 bytes\.$/],
    [
      withPair,
      { 'c.pem': client.cert },
      /^clientCertificate\.keyFile of registry a\.io \(.*\) cannot be read/,
    ],
    [
      withPair,
      { 'c.pem': client.cert, 'k.pem': other.key },
      'clientCertificate of registry a.io: the key in keyFile does not belong to the certificate in certFile.',
    ],
    [
      withPair,
      { 'c.pem': client.key, 'k.pem': client.key },
      'clientCertificate.certFile of registry a.io holds no PEM certificate.',
    ],
    [
      withPair,
      { 'c.pem': client.cert, 'k.pem': client.cert },
      'clientCertificate.keyFile of registry a.io holds no PEM private key without a passphrase.',
    ],
  ])('refuses %s with %o', async (text, files, message) => {
    const path = await write({ 'registries.yaml': text, ...files });
    await expectFailure(loadRegistrySettings(path, []), 'ConfigurationInvalid', message);
  });

  it('refuses --plain-http for a host that is not asked itself, or that has TLS settings', async () => {
    const mirrored = await write({ 'registries.yaml': 'registries: [{host: a.io, mirror: b.io}]' });
    await expectFailure(
      loadRegistrySettings(mirrored, ['a.io']),
      'ConfigurationInvalid',
      '--plain-http a.io does not fit the settings of that host: plainHttp is not used, as b.io is asked instead; put it into the entry of that host.',
    );
    await expect(loadRegistrySettings(mirrored, ['b.io'])).resolves.toBeDefined();
    const secured = await write({ 'registries.yaml': withCa, 'ca.pem': authority.ca });
    await expectFailure(
      loadRegistrySettings(secured, ['a.io']),
      'ConfigurationInvalid',
      /^--plain-http a\.io does not fit .*: caFile is of no use over plain HTTP/,
    );
  });

  it('says when the file cannot be read', async () => {
    await expectFailure(
      loadRegistrySettings('/nonexistent/registries.yaml', []),
      'ConfigurationInvalid',
      'The registry settings /nonexistent/registries.yaml cannot be read: it does not exist.',
    );
  });
});
