import { defineConfig } from 'vitest/config';

/** Tests on a node that runs Pods; each file starts what it needs. */
export default defineConfig({
  test: {
    include: ['e2e/node/**/*.test.ts'],
    setupFiles: ['e2e/end-with-vitest.ts'],
    testTimeout: 300_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
