#!/usr/bin/env bash
# Runs the suite, or the tests that are named, on each supported Python that is on this machine, each in
# a .venv-X.Y of its own. VERSIONS="3.10 3.13" names some of them.
set -euo pipefail

. "$(dirname "$0")/find_python.sh"

ran=0
for version in ${VERSIONS:-3.10 3.11 3.12 3.13}; do
  python=$(find_python "$version")
  if [ -z "$python" ]; then
    echo "Python $version: not on this machine"
    continue
  fi
  environment=".venv-$version"
  "$python" -m tools.environment "$environment" requirements/dev.txt
  echo "Python $version:"
  "$environment/bin/python" -m pytest -n auto --dist loadfile -q "$@"
  ran=$((ran + 1))
done
[ "$ran" -gt 0 ] || { echo "no supported Python was found" >&2; exit 1; }
