"""The engine's modules, on the path as its process has them."""

import sys
from pathlib import Path

ENGINE = Path(__file__).parents[3] / "docker" / "triton" / "backends" / "vllm_omni"

if str(ENGINE) not in sys.path:
    sys.path.append(str(ENGINE))
