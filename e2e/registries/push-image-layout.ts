import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly manifests?: readonly Descriptor[];
  readonly subject?: Descriptor;
}

/**
 * Pushes an OCI image layout as a repository: every blob, every manifest, and each entry of `index.json` that
 * carries `org.opencontainers.image.ref.name` under that tag. Made for the sparse layouts of `test/fixtures/`.
 */
export async function pushImageLayout(directory: string, host: string, repository: string): Promise<void> {
  const base = `http://${host}/v2/${repository}`;
  const blobs = join(directory, 'blobs', 'sha256');
  const { manifests = [] } = JSON.parse(await readFile(join(directory, 'index.json'), 'utf8')) as Manifest;

  // A manifest may be pushed as a blob as well; that spares telling them apart before they are met.
  for (const hex of await readdir(blobs)) await pushBlob(base, hex, await readFile(join(blobs, hex)));
  const pushed = new Set<string>();
  for (const descriptor of manifests) {
    await pushManifest(descriptor);
    const tag = descriptor.annotations?.['org.opencontainers.image.ref.name'];
    if (tag !== undefined)
      await put(`${base}/manifests/${tag}`, await read(descriptor), descriptor.mediaType);
  }

  /** Children and subject first: some registries refuse what points at nothing. */
  async function pushManifest(descriptor: Descriptor): Promise<void> {
    if (pushed.has(descriptor.digest)) return;
    pushed.add(descriptor.digest);
    const bytes = await read(descriptor);
    const { manifests: children = [], subject } = JSON.parse(bytes.toString('utf8')) as Manifest;
    for (const next of [...children, ...(subject === undefined ? [] : [subject])]) await pushManifest(next);
    await put(`${base}/manifests/${descriptor.digest}`, bytes, descriptor.mediaType);
  }

  function read({ digest }: Descriptor): Promise<Buffer> {
    return readFile(join(blobs, digest.replace('sha256:', '')));
  }
}

async function pushBlob(base: string, hex: string, bytes: Buffer): Promise<void> {
  const started = await fetch(`${base}/blobs/uploads/`, { method: 'POST' });
  const location = started.headers.get('location');
  if (started.status !== 202 || location === null) {
    throw new Error(`POST ${base}/blobs/uploads/: ${started.status}`);
  }
  const upload = new URL(location, base);
  upload.searchParams.set('digest', `sha256:${hex}`);
  await put(upload.href, bytes, 'application/octet-stream');
}

async function put(url: string, bytes: Buffer, contentType: string): Promise<void> {
  const response = await fetch(url, {
    method: 'PUT',
    headers: { 'content-type': contentType },
    body: new Uint8Array(bytes),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`PUT ${url}: ${response.status} ${text}`);
}
