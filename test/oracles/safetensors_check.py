"""The safetensors package against this project's files: safetensors_check.py IN OUT.

Reads IN with the package, prints what it holds as JSON, and writes the same tensors to OUT with the package.
"""
import json
import sys

from safetensors import safe_open
from safetensors.numpy import save_file

source, target = sys.argv[1:]
with safe_open(source, "np") as file:
    metadata = file.metadata()
    tensors = {name: file.get_tensor(name) for name in file.keys()}
held = {name: [str(value.dtype), list(value.shape), value.ravel().tolist()] for name, value in tensors.items()}
save_file(tensors, target, metadata)
print(json.dumps({"tensors": held, "metadata": metadata}))
