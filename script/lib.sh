# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the scripts share. Sourced, not run: it moves to the top of the tree and sets strict mode.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

jobs=${JOBS:-$(nproc)}
export PYTHONDONTWRITEBYTECODE=1

# Debian's python, which has pytest; another one may come first in PATH.
export python=/usr/bin/python3

say() { printf '== %s\n' "$*" >&2; }
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# with_ccache COMPILER prints what to put into CC.
with_ccache() {
    if command -v ccache >/dev/null; then
        echo "ccache $1"
    else
        echo "$1"
    fi
}

# configure DIR COMPILER OPTION... makes or remakes a build folder; free when nothing changed.
configure() {
    local dir=$1 compiler=$2
    shift 2
    local want="$compiler $*"
    if [ -f "$dir/build.ninja" ] && [ "$(cat "$dir/.configured-as" 2>/dev/null)" = "$want" ]; then
        return
    fi
    rm -rf "$dir"
    CC=$(with_ccache "$compiler") meson setup "$dir" "$@" >"$dir.log" 2>&1 || {
        cat "$dir.log" >&2
        rm -f "$dir.log"
        die "meson could not configure $dir: see the lines above"
    }
    mv "$dir.log" "$dir/configure.log"
    echo "$want" >"$dir/.configured-as"
}

# compile DIR [TARGET...] builds; output only when there is something to say.
compile() {
    local dir=$1
    shift
    ninja -C "$dir" -j "$jobs" --quiet "$@"
}
