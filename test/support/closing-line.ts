/** A reporter that adds one plain last line, `N passed, N failed, N skipped`, for scripts that read the output. */
import type { Reporter, TestModule } from 'vitest/node';

export function closingLine(): Reporter {
  return {
    onTestRunEnd(modules: readonly TestModule[], errors) {
      const count = { passed: 0, failed: errors.length, skipped: 0 };
      for (const module of modules) {
        // A file that fails to load holds no tests, and must not pass for a success.
        if (module.errors().length > 0) count.failed += 1;
        for (const test of module.children.allTests()) {
          const { state } = test.result();
          if (state !== 'pending') count[state] += 1;
        }
      }
      // The default reporter's summary is printed in the same hook; this line comes after it.
      setImmediate(() =>
        process.stdout.write(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`),
      );
    },
  };
}
