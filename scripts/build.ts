/** Bundles the command line and the thread that it starts, a file each in dist/: what the container image ships. */
import { chmod } from 'node:fs/promises';
import { build } from 'esbuild';

await build({
  entryPoints: { refwarden: 'src/main.ts', 'verifier-worker': 'src/workers/verifier-worker.ts' },
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  minifySyntax: true,
  legalComments: 'linked',
  // CommonJS dependencies call require for node's own modules.
  banner: {
    js: [
      '#!/usr/bin/env node',
      "import { createRequire as createRequireOfBundle } from 'node:module';",
      "if (Number(process.versions.node.split('.')[0]) < 24) {",
      "  process.stderr.write('refwarden needs Node.js 24 or newer to run; this is ' + process.version + '.\\n');",
      '  process.exit(2);',
      '}',
      'const require = createRequireOfBundle(import.meta.url);',
    ].join('\n'),
  },
  logLevel: 'warning',
});
await chmod('dist/refwarden.js', 0o755);
console.log('Built dist/refwarden.js and dist/verifier-worker.js');
