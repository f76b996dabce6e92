import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { failure, RefwardenError } from '../failures/failure.ts';
import { printableLines } from '../failures/printable.ts';
import { parseDigest } from '../image/digest.ts';
import type { Digest } from '../image/digest.ts';
import type { TrustedRootMaterial } from '../policy/resolved-issuer.ts';
import type { SigstoreIssuer } from '../verification/sigstore/sigstore-form.ts';
import { verifyBundle } from '../verification/sigstore/verify-bundle.ts';
import { exitCodes } from './commands.ts';
import type { Engine, Terminal } from './commands.ts';
import { refuse } from './refuse.ts';

/** Largest bundle, key or trusted root, in bytes. */
const maxMaterialBytes = 32 * 1024 * 1024;
/** Largest artifact, in bytes: it is read whole. */
const maxArtifactBytes = 1024 * 1024 * 1024;

/** Options of the sigstore-conformance protocol (docs/cli_protocol.md there). */
export interface VerifyBundleOptions {
  readonly bundle: string;
  readonly certificateIdentity?: string;
  readonly certificateOidcIssuer?: string;
  /** Path of a public key in PEM. */
  readonly key?: string;
  /** Path of a trusted root; the public Sigstore instance's when absent. */
  readonly trustedRoot?: string;
  readonly staging: boolean;
}

/**
 * `refwarden sigstore-conformance verify-bundle FILE_OR_DIGEST`: whether the bundle is for it, by the engine that admission
 * runs. Returns the exit code.
 */
export async function runVerifyBundle(
  artifact: string,
  options: VerifyBundleOptions,
  engine: Engine,
  terminal: Terminal,
): Promise<number> {
  try {
    const { evidence, rejections } = verifyBundle({
      bundle: await readBounded(options.bundle, maxMaterialBytes),
      artifact: digestOf(artifact) ?? (await readBounded(artifact, maxArtifactBytes)),
      issuer: await issuerOf(options, engine),
      nowMs: Date.now(),
    });
    if (evidence.length > 0) return exitCodes.admitted;
    const [why = failure('InternalError', 'No signature of the bundle was looked at.')] = rejections;
    terminal.err(`${why.code}: ${printableLines(why.message)}\n`);
    return exitCodes.denied;
  } catch (error) {
    return refuse(error, 'text', terminal);
  }
}

/** A digest of the protocol; undefined for what is to be read as a path. */
function digestOf(text: string): Digest | undefined {
  return /^sha256:[0-9a-f]{64}$/i.test(text) && !existsSync(text)
    ? parseDigest(text.toLowerCase())
    : undefined;
}

async function issuerOf(options: VerifyBundleOptions, engine: Engine): Promise<SigstoreIssuer> {
  const { key, certificateIdentity, certificateOidcIssuer } = options;
  const base = { name: 'conformance', fingerprint: 'conformance', transparencyLog: 'Required' } as const;
  const trustedRoot = await trustedRootOf(options, engine);
  if (key !== undefined) {
    const pem = Buffer.from(await readBounded(key, maxMaterialBytes)).toString('utf8');
    return { ...base, kind: 'key', pem, trustedRoot };
  }
  if (certificateIdentity === undefined || certificateOidcIssuer === undefined) {
    throw new RefwardenError(
      'ConfigurationInvalid',
      'Give --key, or --certificate-identity with --certificate-oidc-issuer.',
    );
  }
  return {
    ...base,
    kind: 'keyless',
    identities: [{ issuer: certificateOidcIssuer, subject: { exact: certificateIdentity }, extensions: [] }],
    trustedRoot,
    sct: 'Required',
    signedTimestamp: 'NotRequired',
  };
}

async function trustedRootOf(
  { trustedRoot, staging }: VerifyBundleOptions,
  engine: Engine,
): Promise<TrustedRootMaterial> {
  if (trustedRoot === undefined && staging) {
    throw new RefwardenError(
      'ConfigurationInvalid',
      'The root of the staging instance does not ship with Refwarden: give it by --trusted-root.',
    );
  }
  const json =
    trustedRoot === undefined
      ? engine.publicGoodRoot()
      : Buffer.from(await readBounded(trustedRoot, maxMaterialBytes)).toString('utf8');
  if (typeof json !== 'string') throw new RefwardenError(json.code, json.message);
  return { json, fingerprint: createHash('sha256').update(json).digest('hex') };
}

async function readBounded(path: string, maxBytes: number): Promise<Uint8Array> {
  try {
    const file = await open(path);
    try {
      const { size } = await file.stat();
      if (size <= maxBytes) return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new RefwardenError('ConfigurationInvalid', `The file ${path} cannot be read.`, cause);
  }
  throw new RefwardenError('ConfigurationInvalid', `The file ${path} is larger than ${maxBytes} bytes.`);
}
