"""The backend's modules, on the path as Triton's model process has them."""

import sys
from pathlib import Path

BACKENDS = Path(__file__).parents[3] / "docker" / "triton" / "backends"

for folder in (BACKENDS / "voice", BACKENDS / "vllm_omni"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
