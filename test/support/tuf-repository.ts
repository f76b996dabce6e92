import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import {
  Key,
  Metadata,
  MetaFile,
  Root,
  Signature,
  Snapshot,
  TargetFile,
  Targets,
  Timestamp,
} from '@tufjs/models';

const specVersion = '1.0.31';
const day = 24 * 60 * 60_000;
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export interface TufKey {
  readonly key: Key;
  readonly privateKey: KeyObject;
}

export function tufKey(): TufKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex');
  const key = new Key({
    keyID: sha256(Buffer.from(raw)),
    keyType: 'ed25519',
    scheme: 'ed25519',
    keyVal: { public: raw },
  });
  return { key, privateKey };
}

/** Signed metadata as a repository serves it. */
function signMetadata(signed: Root | Timestamp | Snapshot | Targets, keys: readonly TufKey[]): Buffer {
  const metadata = new Metadata(signed);
  for (const { key, privateKey } of keys) {
    metadata.sign((data) => {
      const sig = sign(null, data, privateKey).toString('hex');
      return new Signature({ keyID: key.keyID, sig });
    });
  }
  return Buffer.from(JSON.stringify(metadata.toJSON()));
}

export interface PublishOptions {
  /** Of the timestamp; everything else is valid for a year. */
  readonly expires?: Date;
  readonly timestampKey?: TufKey;
  /** What the timestamp says of the snapshot, bytes. */
  readonly snapshotLength?: number;
  /** Replaces what the metadata says of the target. */
  readonly described?: { readonly length: number; readonly hashes: Record<string, string> };
}

/** A TUF repository in memory, with consistent snapshots: two of three root keys, and one key for all else. */
export class TufRepository {
  /** Path -> content, as it is served. */
  readonly files = new Map<string, Buffer>();
  rootKeys: readonly TufKey[] = [tufKey(), tufKey(), tufKey()];
  onlineKey = tufKey();
  rootVersion = 0;
  version = 0;

  constructor() {
    this.rotate();
  }

  get root(): string {
    return this.files.get('1.root.json')?.toString() ?? '';
  }

  /** A new root, signed by two keys of the one before and two of its own, or by whatever is given. */
  rotate(next: { rootKeys?: readonly TufKey[]; onlineKey?: TufKey } = {}, signers?: readonly TufKey[]): void {
    const before = this.rootKeys.slice(0, 2);
    const { rootKeys = this.rootKeys, onlineKey = this.onlineKey } = next;
    this.rootVersion++;
    const role = (keys: readonly TufKey[], threshold: number) => ({
      keyids: keys.map(({ key }) => key.keyID),
      threshold,
    });
    const signed = Root.fromJSON({
      _type: 'root',
      version: this.rootVersion,
      spec_version: specVersion,
      expires: inAYear(),
      consistent_snapshot: true,
      keys: Object.fromEntries([...rootKeys, onlineKey].map(({ key }) => [key.keyID, key.toJSON()])),
      roles: {
        root: role(rootKeys, 2),
        timestamp: role([onlineKey], 1),
        snapshot: role([onlineKey], 1),
        targets: role([onlineKey], 1),
      },
    });
    const keys = signers ?? [...new Set([...before, ...rootKeys.slice(0, 2)])];
    this.files.set(`${this.rootVersion}.root.json`, signMetadata(signed, keys));
    this.rootKeys = rootKeys;
    this.onlineKey = onlineKey;
  }

  /** A new version of everything below the root. */
  publish(target: string | Uint8Array, name = 'trusted_root.json', options: PublishOptions = {}): void {
    const bytes = Buffer.from(target);
    const { expires = new Date(Date.now() + 7 * day), timestampKey = this.onlineKey } = options;
    const described = options.described ?? { length: bytes.length, hashes: { sha256: sha256(bytes) } };
    this.version++;
    const { version } = this;
    const common = { version, specVersion, expires: inAYear() };
    const targets = signMetadata(
      new Targets({ ...common, targets: { [name]: new TargetFile({ path: name, ...described }) } }),
      [this.onlineKey],
    );
    const meta = { 'targets.json': new MetaFile({ version }) };
    const snapshot = signMetadata(new Snapshot({ ...common, meta }), [this.onlineKey]);
    this.files.set(`targets/${sha256(bytes)}.${name}`, bytes);
    this.files.set(`${version}.targets.json`, targets);
    this.files.set(`${version}.snapshot.json`, snapshot);
    this.files.set('timestamp.json', this.timestamp(version, expires, timestampKey, options.snapshotLength));
  }

  timestamp(version: number, expires: Date, key = this.onlineKey, length?: number): Buffer {
    const expiresAt = expires.toISOString().replace(/\.\d+Z$/, 'Z');
    const snapshotMeta = new MetaFile({ version, ...(length === undefined ? {} : { length }) });
    return signMetadata(new Timestamp({ version, specVersion, expires: expiresAt, snapshotMeta }), [key]);
  }
}

const inAYear = (): string => new Date(Date.now() + 365 * day).toISOString().replace(/\.\d+Z$/, 'Z');
