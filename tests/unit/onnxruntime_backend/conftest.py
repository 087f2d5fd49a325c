import sys
from pathlib import Path

FOLDER = Path(__file__).parents[3] / "docker" / "triton" / "backends" / "onnxruntime"

if str(FOLDER) not in sys.path:
    sys.path.append(str(FOLDER))
