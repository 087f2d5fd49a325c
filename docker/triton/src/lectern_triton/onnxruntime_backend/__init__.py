"""A stand-in for NVIDIA's backend for ONNX Runtime: opens a model, checks it, and batches its requests."""
