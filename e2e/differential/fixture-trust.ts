import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { apiVersion } from '../objects/policy.ts';
import { keyIssuer } from '../world/trust.ts';

export const cosignFixtures = join(import.meta.dirname, '..', '..', 'test', 'fixtures', 'cosign');
const trust = join(cosignFixtures, 'trust');

interface Identity {
  readonly issuer: string;
  readonly subject: string;
}
interface Certificates {
  readonly certChain: { readonly certificates: readonly { readonly rawBytes: string }[] };
}

/** One signer of test/fixtures/cosign, as cosign and as Refwarden trust it: the same key, identity and root. */
export interface FixtureSigner {
  readonly name: string;
  readonly kind: 'key' | 'keyless';
  /** Flags of `cosign verify` for bundles, and for simple signing. */
  readonly flags: readonly string[];
  readonly legacyFlags: readonly string[];
  /** The TrustedIssuer of this name. */
  readonly issuer: object;
}

/** @param scratch where certificate chains are written to, which cosign wants as files. */
export async function fixtureSigners(scratch: string): Promise<readonly FixtureSigner[]> {
  const identities = readJson('identity.json') as Identity & { readonly github: Identity };
  const root = readJson('trusted-root.json') as {
    readonly certificateAuthorities: readonly [Certificates];
    readonly timestampAuthorities: readonly [Certificates];
  };
  const roots = join(scratch, 'fulcio.pem');
  const timestamps = join(scratch, 'timestamps.pem');
  await writeFile(roots, toPem(root.certificateAuthorities[0]));
  await writeFile(timestamps, toPem(root.timestampAuthorities[0]));
  const legacyRoots = [`--ca-roots=${roots}`, `--timestamp-certificate-chain=${timestamps}`];
  return [
    ...['release', 'second', 'stranger', 'rsa', 'ed25519'].map(keySigner),
    keylessSigner('person', identities, legacyRoots),
    keylessSigner('workflow', identities.github, legacyRoots),
  ];
}

function keySigner(name: string): FixtureSigner {
  const path = join(trust, `${name}.pub`);
  const flags = [`--key=${path}`, '--insecure-ignore-tlog'];
  return {
    name,
    kind: 'key',
    flags,
    legacyFlags: flags,
    issuer: keyIssuer(name, readFileSync(path, 'utf8')),
  };
}

function keylessSigner(
  name: string,
  { issuer, subject }: Identity,
  legacyRoots: readonly string[],
): FixtureSigner {
  const path = join(trust, 'trusted-root.json');
  const who = [
    `--certificate-identity=${subject}`,
    `--certificate-oidc-issuer=${issuer}`,
    '--insecure-ignore-sct',
    '--insecure-ignore-tlog',
  ];
  const keyless = {
    identities: [{ issuer, subject }],
    trustedRoot: { inline: readFileSync(path, 'utf8') },
    sct: 'NotRequired',
    signedTimestamp: 'Required',
  };
  return {
    name,
    kind: 'keyless',
    flags: [`--trusted-root=${path}`, ...who, '--use-signed-timestamps'],
    legacyFlags: [...legacyRoots, ...who],
    issuer: { apiVersion, kind: 'TrustedIssuer', metadata: { name }, spec: { keyless } },
  };
}

const readJson = (file: string): unknown => JSON.parse(readFileSync(join(trust, file), 'utf8'));

function toPem({ certChain: { certificates } }: Certificates): string {
  return certificates
    .map(({ rawBytes }) => `-----BEGIN CERTIFICATE-----\n${rawBytes}\n-----END CERTIFICATE-----\n`)
    .join('');
}
