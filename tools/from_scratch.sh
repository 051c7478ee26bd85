#!/usr/bin/env bash
# What a new user does, on each supported Python that is on this machine: a clone in an empty folder, an
# empty HOME, the README's two commands, and the installed command in an empty folder. Prints the seconds
# of each step.
#
#   bash tools/from_scratch.sh             all versions
#   bash tools/from_scratch.sh 3.12        one
set -euo pipefail
source=$(cd "$(dirname "$0")/.." && pwd)
. "$source/tools/find_python.sh"

step() { # runs the command $2… as step $1, quietly; its output is shown where it fails
  local name=$1 begun=$SECONDS
  shift
  "$@" >"$there/log" 2>&1 || { echo "Python $version: $name failed:"; tail -n 60 "$there/log"; exit 1; }
  printf 'Python %s  %-34s %4d s   %s\n' "$version" "$name" $((SECONDS - begun)) \
    "$(grep -aoE '[0-9]+ passed.*' "$there/log" | tail -n 1 || true)"
}

in_empty_folder() { (cd "$(mktemp -d -p "$there")" && "$@"); }

[ $# -gt 0 ] || set -- 3.10 3.11 3.12 3.13
for version in "$@"; do
  python=$(find_python "$version")
  [ -n "$python" ] || { echo "Python $version: not on this machine"; continue; }
  there=$(mktemp -d)
  mkdir "$there/home"
  export HOME="$there/home"
  git clone --quiet "$source" "$there/project"
  cd "$there/project"
  step "make run" make PYTHON="$python" run
  step "make run, again" make PYTHON="$python" run
  step "make test" make PYTHON="$python" test
  step "pip install .[cli]" bash -c "'$python' -m venv '$there/installed' && '$there/installed/bin/pip' install --quiet '.[cli]'"
  step "ci-callback, in an empty folder" in_empty_folder \
    "$there/installed/bin/ci-callback" invoke "$there/project/tests/payloads/Translation.seed.json"
  cd "$source"
  chmod -R u+w "$there"
  rm -rf "$there"
done
