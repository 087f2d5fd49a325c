"""Asks a script in the environment of Triton's models, for what cannot be asked of Triton."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
G2P = ROOT / "model_repository" / "kokoro_g2p" / "1"


def answer_of(script: str, given: Any, g2p: Path = G2P) -> Any:
    """JSON goes in and out; `script` is the name of one beside this file, `g2p` a version folder of kokoro_g2p."""
    python = ROOT / ".venvs" / "models" / "bin" / "python"
    done = subprocess.run(
        [python, "-P", ROOT / "tests" / "contract" / script], input=json.dumps(given).encode(), capture_output=True,
        env={**os.environ, "PYTHONPATH": str(g2p)}, check=False, timeout=300,
    )  # fmt: skip
    if done.returncode:
        sys.stderr.write(done.stderr.decode())
    assert done.returncode == 0
    return json.loads(done.stdout)
