import { readFileSync } from 'node:fs';
import { run } from './cli/program.ts';

/** package.json lies above src/ and dist/ alike. */
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

// Not awaited here: what is published are CommonJS modules, which start sooner and cannot wait.
void run(process.argv.slice(2), version).then((code) => process.exit(code));
