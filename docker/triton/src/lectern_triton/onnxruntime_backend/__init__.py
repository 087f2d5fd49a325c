"""What the stand-in for NVIDIA's ONNX Runtime backend does with a model: check it, open it, and batch its requests."""
