import { defineConfig } from 'vitest/config';
import { hangGuardMs, patienceMs } from './test/support/hang-guard.ts';
import ProcessFilesFirst from './test/support/process-files-first.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: hangGuardMs,
    hookTimeout: hangGuardMs,
    teardownTimeout: hangGuardMs,
    expect: { poll: { timeout: patienceMs, interval: 20 } },
    // Two cores: more workers only make each file slower.
    maxWorkers: 2,
    sequence: { sequencer: ProcessFilesFirst },
    reporters: ['default', './test/support/closing-line.ts'],
  },
});
