import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Two cores: more workers than that only make each file slower.
    maxWorkers: 2,
    reporters: ['default', './test/support/closing-line.ts'],
  },
});
