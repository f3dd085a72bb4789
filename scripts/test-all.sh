#!/usr/bin/env bash
# Every check and every test, on a bare Debian machine with Node 20 or newer and npm. As root it first installs the
# test bed (testbed/testbed.sh); otherwise tests that need a missing component are skipped, and named.
# The last line is `N passed, N failed`; the exit code is 0 only if nothing failed.
set -euo pipefail
cd "$(dirname "$0")/.."

# Whether node_modules is what the lock file asks for. Optional packages may be missing: other platforms' are.
installed() {
  node --input-type=commonjs -e '
    const { readFileSync } = require("node:fs");
    const packages = (file) => JSON.parse(readFileSync(file)).packages;
    const wanted = packages("package-lock.json");
    const present = packages("node_modules/.package-lock.json");
    for (const [path, { version, optional }] of Object.entries(wanted))
      if (path !== "" && !optional && present[path]?.version !== version) process.exit(1);
  ' 2>/dev/null
}

# Beside the test bed: both mostly wait for what they fetch.
{ installed || npm ci --no-audit --no-fund; } &
packages=$!

if testbed/testbed.sh; then
  # Everything is there, so a skipped test would be a hole.
  if [ "$(id -u)" = 0 ]; then export RESPALDO_NO_SKIPPED_TESTS=1; fi
fi
PATH="$(testbed/testbed.sh --path):$PATH"
wait "$packages"

exec npm run --silent verify </dev/null
