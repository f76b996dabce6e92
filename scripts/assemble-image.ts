/**
 * Makes the image of the Dockerfile for the machine that this runs on, without a container engine: an OCI image layout as a
 * tar file, which containerd, crane and skopeo take. For tests; releases are built from the Dockerfile.
 *
 *     npm run build && node scripts/assemble-image.ts refwarden.tar refwarden.test/refwarden:0.1.0
 */
import { execFileSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { writeImageArchive } from './image-archive.ts';

const [output, name] = process.argv.slice(2);
if (output === undefined || name === undefined) {
  console.error('Usage: node scripts/assemble-image.ts OUTPUT.tar REPOSITORY:TAG');
  process.exit(2);
}

const root = join(import.meta.dirname, '..');
const node = join(root, 'node_modules', 'node', 'bin', 'node');
const linked = execFileSync('ldd', [node], { encoding: 'utf8' }).matchAll(/\/\S+(?= \(0x)/g);
const own = {
  'dist/refwarden.js': 'refwarden.js',
  'dist/verifier-worker.js': 'verifier-worker.js',
  LICENSE: 'LICENSE',
};

const digest = writeImageArchive(output, name, {
  layers: [
    // Node.js of the lockfile, and the libraries that it is linked with.
    new Map([
      ['/usr/local/bin/node', node],
      ...[...linked].map(([path]): [string, string] => [path, realpathSync(path)]),
    ]),
    new Map(Object.entries(own).map(([from, to]) => [`/opt/refwarden/${to}`, join(root, from)])),
  ],
  config: {
    User: '65532:65532',
    Env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'NODE_ENV=production'],
    Entrypoint: ['node', '/opt/refwarden/refwarden.js'],
    Cmd: ['serve', '--help'],
  },
});
console.log(`Assembled ${name} (${digest}) in ${output}`);
