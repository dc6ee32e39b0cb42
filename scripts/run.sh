#!/bin/sh
# What the npm scripts call: `sh scripts/run.sh start …` runs scripts/start.ts. It needs no more than a shell to say what is missing.
if [ ! -e node_modules/.package-lock.json ]; then
  echo "Errand is not installed yet: run npm ci first." >&2
  exit 1
fi
script=$1
shift
exec node --disable-warning=ExperimentalWarning "scripts/$script.ts" "$@"
