import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['e2e/**/*.test.ts'],
    // See vitest.e2e-node.config.ts.
    exclude: ['e2e/node/**'],
    globalSetup: ['e2e/global-setup.ts'],
    setupFiles: ['e2e/end-with-vitest.ts'],
    testTimeout: 120_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
