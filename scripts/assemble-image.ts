/**
 * Makes the image of the Dockerfile for the machine that this runs on, without a container engine: an OCI image layout as a
 * tar file, which containerd, crane and skopeo take. For tests; releases are built from the Dockerfile.
 *
 *     npm run build && node scripts/assemble-image.ts refwarden.tar refwarden.test/refwarden:0.1.0
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';

const root = join(import.meta.dirname, '..');
const [output, name] = process.argv.slice(2);
if (output === undefined || name === undefined) {
  console.error('Usage: node scripts/assemble-image.ts OUTPUT.tar REPOSITORY:TAG');
  process.exit(2);
}

const scratch = mkdtempSync(join(tmpdir(), 'refwarden-image-'));
try {
  const layers = [runtimeLayer(), ownLayer()];
  const config = writeBlob('application/vnd.oci.image.config.v1+json', {
    architecture: { x64: 'amd64' }[process.arch as string] ?? process.arch,
    os: 'linux',
    config: {
      User: '65532:65532',
      Env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'NODE_ENV=production'],
      Entrypoint: ['node', '/opt/refwarden/refwarden.js'],
      Cmd: ['serve', '--help'],
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
  });
  const manifest = writeBlob('application/vnd.oci.image.manifest.v1+json', {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config,
    layers: layers.map(({ descriptor }) => descriptor),
  });
  const annotations = { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name };
  write('layout/oci-layout', JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  write(
    'layout/index.json',
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [{ ...manifest, annotations }],
    }),
  );
  writeFileSync(resolve(output), pack(join(scratch, 'layout')));
  console.log(`Assembled ${name} (${manifest.digest}) in ${output}`);
} finally {
  rmSync(scratch, { recursive: true });
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** Node.js of the lockfile, and the libraries that it is linked with. */
function runtimeLayer(): { diffId: string; descriptor: Descriptor } {
  const node = join(root, 'node_modules', 'node', 'bin', 'node');
  copy(node, 'runtime/usr/local/bin/node');
  const linked = execFileSync('ldd', [node], { encoding: 'utf8' });
  for (const [path] of linked.matchAll(/\/\S+(?= \(0x)/g)) copy(realpathSync(path), `runtime${path}`);
  return layer('runtime');
}

function ownLayer(): { diffId: string; descriptor: Descriptor } {
  for (const file of ['refwarden.js', 'verifier-worker.js']) {
    copy(join(root, 'dist', file), `own/opt/refwarden/${file}`);
  }
  copy(join(root, 'LICENSE'), 'own/opt/refwarden/LICENSE');
  return layer('own');
}

function layer(directory: string): { diffId: string; descriptor: Descriptor } {
  const tar = pack(join(scratch, directory));
  const descriptor = writeBytes('application/vnd.oci.image.layer.v1.tar+gzip', gzipSync(tar, { level: 1 }));
  return { diffId: digestOf(tar), descriptor };
}

/** The same bytes for the same content. */
function pack(directory: string): Buffer {
  const args = ['--create', '--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0'];
  return execFileSync('tar', [...args, '--directory', directory, '.'], { maxBuffer: 1024 ** 3 });
}

function copy(from: string, to: string): void {
  const path = join(scratch, to);
  mkdirSync(dirname(path), { recursive: true });
  cpSync(from, path);
  chmodSync(path, 0o755);
}

function write(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(scratch, path)), { recursive: true });
  writeFileSync(join(scratch, path), content);
}

function writeBlob(mediaType: string, content: object): Descriptor {
  return writeBytes(mediaType, Buffer.from(JSON.stringify(content)));
}

function writeBytes(mediaType: string, bytes: Buffer): Descriptor {
  const digest = digestOf(bytes);
  write(join('layout', 'blobs', ...digest.split(':')), bytes);
  return { mediaType, digest, size: bytes.byteLength };
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
