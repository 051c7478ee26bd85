#!/usr/bin/env bash
# A newcomer's first quarter of an hour, as a script: clone, `make run`, serve, send a failing sample,
# see it retried, see the report. Everything happens in a new folder, which is named at the end.
#
#   bash tools/newcomer.sh            PYTHON=python3.12 picks the interpreter
set -euo pipefail
source=$(cd "$(dirname "$0")/.." && pwd)
there=$(mktemp -d)
python=${PYTHON:-python3}

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }

say "git clone"
git clone --quiet "$source" "$there/ci-callback"
cd "$there/ci-callback"

say "make run"
make PYTHON="$python" VENV=.venv run
ci() { .venv/bin/python -m ci_callback "$@"; }

say "python -m ci_callback serve"
# A retry is due within seconds here, not within a minute; nothing else is changed.
export RETRY_BASE_S=1 LEASE_WAIT_S=0
.venv/bin/python -m ci_callback serve --port 0 --sweep-every 1 >serve.log 2>serve.err &
serving=$!
trap 'kill $serving 2>/dev/null || true' EXIT
for _ in $(seq 100); do
  url=$(grep -ohE 'http://127\.0\.0\.1:[0-9]+' serve.err serve.log | head -1 || true)
  [ -n "$url" ] && break
  sleep 0.2
done
echo "the function is at $url/ and its console at $url/_/"

say "python -m ci_callback send Transcode --state Failed"
sent=$(ci send Transcode --state Failed --code InternalError --to "$url/" --json)
job=$(printf '%s' "$sent" | "$python" -c 'import json, sys; print(json.load(sys.stdin)["job_id"])')
echo "$sent"

say "python -m ci_callback show $job"
for _ in $(seq 60); do
  ended=$(ci show "$job" --json | "$python" -c '
import json, sys
print(json.load(sys.stdin)["attempts"][-1]["outcome"] or "")')
  [ "$ended" = succeeded ] && break
  sleep 0.5
done
ci show "$job" | sed -n '/^Timings/,$p'
[ "$ended" = succeeded ] || { echo "the retry did not recover it"; cat serve.log; exit 1; }
echo "it failed, a sweep submitted it again, and it recovered"

say "python -m ci_callback jobs"
ci jobs

say "python -m ci_callback report --out report.html"
ci report --out report.html
echo "all of it is in $there/ci-callback"
