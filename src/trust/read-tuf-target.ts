import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { DownloadHTTPError, ExpiredMetadataError } from 'tuf-js/dist/error.js';
import { Updater } from 'tuf-js';
import type { TargetFile } from 'tuf-js';
import { RefwardenError } from '../failures/failure.ts';
import type { BoundedFetch } from '../network/bounded-fetch.ts';
import { maxMetadataBytes, TufFetcher } from './tuf-fetcher.ts';

/** Largest target, bytes; as large as a trusted root may be anywhere. */
const maxTargetBytes = 1024 * 1024;
/** New roots followed in one go; the next reading goes on from there. */
const maxRootRotations = 64;
const maxDelegations = 8;
const maxTimestampBytes = 16 * 1024;
const maxReasonLength = 200;
const roles = ['root', 'timestamp', 'snapshot', 'targets'] as const;

/** Metadata that was verified, JSON text; what is known protects from being shown older. */
export type TufMetadata = Readonly<Partial<Record<(typeof roles)[number], string>>> & {
  readonly root: string;
};

export interface TufReading {
  /** Of the repository, without a slash at its end. */
  readonly mirror: string;
  readonly target: string;
  readonly known: TufMetadata;
  /** The target as it was read last, so that it is not fetched again while it is current. */
  readonly knownTarget: Uint8Array | undefined;
  readonly network: BoundedFetch;
  /** Where a directory is made and removed again: tuf-js works on files. */
  readonly scratch: string;
  readonly signal: AbortSignal;
}

export interface TufResult {
  /** What is verified now, also when the reading failed half-way. */
  readonly metadata: TufMetadata;
  /** The target, or why there is none. */
  readonly outcome: Uint8Array | RefwardenError;
}

/**
 * Reads a target of a TUF repository by the client workflow of the TUF specification (section 5): root rotations, signature
 * thresholds, and protection from rollback and freeze are tuf-js's.
 * Never rejects for what the repository does. @throws RefwardenError `TrustMaterialMissing` when the scratch directory fails.
 */
export async function readTufTarget(reading: TufReading): Promise<TufResult> {
  const directory = await makeScratch(reading);
  try {
    for (const role of roles) {
      const text = reading.known[role];
      if (text !== undefined) await writeFile(join(directory, `${role}.json`), text);
    }
    const outcome = await read(reading, directory).catch((thrown: unknown) => thrown as RefwardenError);
    return { metadata: await verifiedMetadata(directory, reading.known), outcome };
  } catch (cause) {
    throw scratchFailure(cause);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function read(reading: TufReading, metadataDir: string): Promise<Uint8Array> {
  const { mirror, target, knownTarget, signal } = reading;
  const fetcher = new TufFetcher(reading.network, signal);
  try {
    const updater = startUpdater(mirror, metadataDir, fetcher);
    const info = await updater.getTargetInfo(target);
    if (info === undefined) throw new RefwardenError('TrustMaterialMissing', `it has no target ${target}`);
    const hash = strongHash(info);
    if (hash === undefined) {
      throw new RefwardenError(
        'TrustMaterialInvalid',
        `target ${target} has neither SHA-256 nor SHA-512 in its metadata`,
      );
    }
    if (knownTarget !== undefined && (await isContent(info, knownTarget))) return knownTarget;
    const prefix = (await hasConsistentSnapshots(metadataDir)) ? `${hash}.` : '';
    const url = new URL(`${mirror}/targets/${prefix}${encodeURIComponent(target)}`);
    const bytes = await fetcher.download(url, maxTargetBytes);
    if (!(await isContent(info, bytes))) {
      throw new RefwardenError('TrustMaterialInvalid', `target ${target} is not what its metadata says`);
    }
    return bytes;
  } catch (thrown) {
    throw explain(fetcher.failure ?? thrown);
  }
}

function startUpdater(mirror: string, metadataDir: string, fetcher: TufFetcher): Updater {
  try {
    return new Updater({
      metadataDir,
      metadataBaseUrl: mirror,
      fetcher,
      config: {
        maxRootRotations,
        maxDelegations,
        rootMaxLength: maxMetadataBytes,
        timestampMaxLength: maxTimestampBytes,
        snapshotMaxLength: maxMetadataBytes,
        targetsMaxLength: maxMetadataBytes,
      },
    });
  } catch (cause) {
    throw new RefwardenError('TrustMaterialInvalid', 'the root to start from is no signed TUF root', cause);
  }
}

async function isContent(info: TargetFile, bytes: Uint8Array): Promise<boolean> {
  return await info.verify(Readable.from([bytes])).then(
    () => true,
    () => false,
  );
}

/** A length alone, or a weak hash, proves nothing. */
const strongHash = ({ hashes }: TargetFile): string | undefined =>
  [hashes['sha256'], hashes['sha512']].find((hash) => /^(?:[0-9a-f]{64}|[0-9a-f]{128})$/.test(hash ?? ''));

/** Whether files are named by version and hash (TUF specification, section 6.2); tuf-js keeps the root to itself. */
async function hasConsistentSnapshots(metadataDir: string): Promise<boolean> {
  const root = JSON.parse(await readFile(join(metadataDir, 'root.json'), 'utf8')) as {
    readonly signed: { readonly consistent_snapshot?: boolean };
  };
  return root.signed.consistent_snapshot === true;
}

/** A RefwardenError whose message goes on a sentence, without raw content of the repository. */
function explain(thrown: unknown): RefwardenError {
  if (thrown instanceof RefwardenError) return thrown;
  if (thrown instanceof DownloadHTTPError) {
    return new RefwardenError('TrustMaterialMissing', thrown.message, thrown);
  }
  const said = thrown instanceof Error ? thrown.message : '';
  const reason = said
    .replace(/^Unable to load (\w+)(?: metadata)? error (?:\w*Error: )?/, '$1: ') // tuf-js's own wrapping
    .replace(/[^ -~]/g, '')
    .slice(0, maxReasonLength);
  if (thrown instanceof ExpiredMetadataError || / is expired$/.test(reason)) {
    return new RefwardenError('TrustMaterialInvalid', `its metadata has expired (${reason})`, thrown);
  }
  return new RefwardenError('TrustMaterialInvalid', `its metadata is refused (${reason})`, thrown);
}

async function makeScratch({ scratch }: TufReading): Promise<string> {
  try {
    return await mkdtemp(join(scratch, 'reading-'));
  } catch (cause) {
    throw scratchFailure(cause);
  }
}

function scratchFailure(cause: unknown): RefwardenError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
  return new RefwardenError(
    'TrustMaterialMissing',
    `temporary files cannot be written (${code}); give --cache-dir, or a directory in TMPDIR`,
    cause,
  );
}

/** tuf-js writes only what it verified. */
async function verifiedMetadata(directory: string, known: TufMetadata): Promise<TufMetadata> {
  const entries = await Promise.all(
    roles.map(async (role) => [role, await readIfThere(join(directory, `${role}.json`))] as const),
  );
  return { ...known, ...Object.fromEntries(entries.filter(([, text]) => text !== undefined)) };
}

async function readIfThere(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').catch((cause: unknown) => {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw cause;
  });
}
