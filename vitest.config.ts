import { defineConfig } from 'vitest/config';
import { hangGuardMs, patienceMs } from './test/support/hang-guard.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: hangGuardMs,
    hookTimeout: hangGuardMs,
    teardownTimeout: hangGuardMs,
    expect: { poll: { timeout: patienceMs, interval: 20 } },
    // Two cores: more workers than that only make each file slower.
    maxWorkers: 2,
    reporters: ['default', './test/support/closing-line.ts'],
  },
});
