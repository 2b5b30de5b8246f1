#!/bin/sh
# Writes requirements*.txt anew from pyproject.toml: every version and hash pinned, for all platforms and Pythons that we support,
# and no address in them, so that a plant's own package mirror works as well as the public one.
# usage: tests/packaging/lock.sh [--upgrade | --upgrade-package NAME]
set -eu
cd "$(dirname "$0")/../.."
compile() {
    .venv/bin/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
        --python-version 3.11 --fork-strategy fewest "$@"
}
printf 'uv>=0.13,<0.14\n' | compile - -o requirements-uv.txt "$@"
compile pyproject.toml -o requirements.txt "$@"
compile pyproject.toml --group test --constraint requirements.txt -o requirements-test.txt "$@"
