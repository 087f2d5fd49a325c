"""Downloads published weights: only the files that a lock names, and only with the content that it names."""

import os

# huggingface_hub reads these when it is imported. Xet, its other way of downloading, needs a package that no lock has.
os.environ |= {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_XET": "1"}
