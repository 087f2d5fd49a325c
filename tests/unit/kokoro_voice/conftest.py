"""The backend's and the model's modules, on the path as Triton's model process has them."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

for folder in (ROOT / "docker" / "triton" / "backends" / "voice", ROOT / "model_repository" / "kokoro" / "1"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
