import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';

/** What an image is made of. */
export interface ImageContents {
  /** Layers, the lowest first: path in the image -> file on this machine. */
  readonly layers: readonly ReadonlyMap<string, string>[];
  /** `config` of the image (OCI image spec, config.md): `Entrypoint`, `User`, ... */
  readonly config: object;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/**
 * Writes an image for this machine's platform as an OCI image layout in a tar file (image-layout.md).
 * @param name `repository:tag`, as containerd imports it.
 * @returns digest of its manifest.
 */
export function writeImageArchive(output: string, name: string, { layers, config }: ImageContents): string {
  const scratch = mkdtempSync(join(tmpdir(), 'refwarden-image-'));
  try {
    return new ArchiveWriter(scratch).write(resolve(output), name, layers, config);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

class ArchiveWriter {
  readonly #scratch: string;

  constructor(scratch: string) {
    this.#scratch = scratch;
  }

  write(output: string, name: string, files: ImageContents['layers'], config: object): string {
    const layers = files.map((layer, index) => this.#layer(`layer-${index}`, layer));
    const configuration = this.#json('application/vnd.oci.image.config.v1+json', {
      architecture: architectures.get(process.arch) ?? process.arch,
      os: 'linux',
      config,
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    });
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    const manifest = this.#json(mediaType, {
      schemaVersion: 2,
      mediaType,
      config: configuration,
      layers: layers.map(({ descriptor }) => descriptor),
    });
    const annotations = { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name };
    this.#put('layout/oci-layout', JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    const index = {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [{ ...manifest, annotations }],
    };
    this.#put('layout/index.json', JSON.stringify(index));
    writeFileSync(output, pack(join(this.#scratch, 'layout')));
    return manifest.digest;
  }

  #layer(directory: string, files: ReadonlyMap<string, string>): { diffId: string; descriptor: Descriptor } {
    for (const [path, from] of files) {
      const to = join(this.#scratch, directory, path);
      mkdirSync(dirname(to), { recursive: true });
      cpSync(from, to);
      chmodSync(to, 0o755);
    }
    const tar = pack(join(this.#scratch, directory));
    const zipped = gzipSync(tar, { level: 1 });
    const descriptor = this.#blob('application/vnd.oci.image.layer.v1.tar+gzip', zipped);
    return { diffId: digestOf(tar), descriptor };
  }

  #json(mediaType: string, content: object): Descriptor {
    return this.#blob(mediaType, Buffer.from(JSON.stringify(content)));
  }

  #blob(mediaType: string, bytes: Buffer): Descriptor {
    const digest = digestOf(bytes);
    this.#put(join('layout', 'blobs', ...digest.split(':')), bytes);
    return { mediaType, digest, size: bytes.byteLength };
  }

  #put(path: string, content: string | Uint8Array): void {
    const to = join(this.#scratch, path);
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, content);
  }
}

/** Node.js's names of processors that Go and so OCI call otherwise. */
const architectures = new Map<string, string>([['x64', 'amd64']]);
const maxArchiveBytes = 1024 ** 3;

/** The same bytes for the same content. */
function pack(directory: string): Buffer {
  const args = ['--create', '--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0'];
  return execFileSync('tar', [...args, '--directory', directory, '.'], { maxBuffer: maxArchiveBytes });
}

const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
