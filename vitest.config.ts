import { playwright } from '@vitest/browser-playwright';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { nodeCommands } from './test/browser/node-commands.ts';
import { browserPath } from './test/support/browser.ts';
import { closingLine } from './test/support/closing-line.ts';

// Tests are grouped by what they need; each runs the built packages, as a user's program would.
const tests = (kind: string) => [
  `packages/*/test/**/*${kind}.test.ts`,
  `{test,examples}/**/*${kind}.test.ts`,
];
const needy = ['ort', 'oracle', 'browser', 'redis', 'cli'].flatMap((kind) => tests(`.${kind}`));

function browserProject(executablePath: string): TestProjectInlineConfiguration {
  return {
    // Threads of the WASM backend need a cross-origin isolated page.
    server: {
      headers: {
        'Cross-Origin-Opener-Policy': 'same-origin',
        'Cross-Origin-Embedder-Policy': 'require-corp',
      },
    },
    // Nothing is bundled beforehand: a dependency met in a worker would otherwise reload the page under a test.
    optimizeDeps: { noDiscovery: true },
    test: {
      name: 'browser',
      globalSetup: ['test/browser/export-bundle.setup.ts'],
      include: tests('.browser'),
      fileParallelism: false,
      testTimeout: 120_000,
      browser: {
        enabled: true,
        headless: true,
        commands: nodeCommands,
        screenshotFailures: false,
        provider: playwright({
          launchOptions: {
            executablePath,
            args: [
              '--no-sandbox',
              '--enable-unsafe-webgpu',
              '--enable-features=Vulkan',
              '--use-webgpu-adapter=swiftshader',
            ],
          },
        }),
        instances: [{ browser: 'chromium' }],
      },
    },
  };
}

export default defineConfig({
  test: {
    reporters: ['default', closingLine()],
    projects: [
      {
        test: {
          name: 'pure',
          include: tests(''),
          exclude: ['**/node_modules/**', ...needy],
          testTimeout: 30_000,
        },
      },
      // Sessions take all cores themselves, so these files run one after another.
      {
        test: {
          name: 'onnxruntime',
          include: [...tests('.ort'), ...tests('.cli')],
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'oracle',
          include: tests('.oracle'),
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 300_000,
        },
      },
      // Each file starts a redis-server of its own, and workers that take cores.
      {
        test: {
          name: 'redis',
          include: tests('.redis'),
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 60_000,
        },
      },
      ...(browserPath ? [browserProject(browserPath)] : []),
    ],
  },
});
