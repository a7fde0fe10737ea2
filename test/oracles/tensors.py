"""safetensors files in a few lines of numpy, since Debian has no package of them. For trusted files only."""
import json

import numpy as np

DTYPES = {"F32": "<f4", "I32": "<i4", "U8": "|u1"}


def encode(tensors, metadata):
    """Bytes of a file: {name: numpy array}, {str: str}. The same input always gives the same bytes."""
    names = {np.dtype(code): name for name, code in DTYPES.items()}
    head, data, offset = {"__metadata__": metadata}, [], 0
    for name, array in tensors.items():
        raw = np.ascontiguousarray(array).tobytes()
        head[name] = {
            "dtype": names[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + len(raw)],
        }
        data.append(raw)
        offset += len(raw)
    text = json.dumps(head, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + b"".join(data)


def decode(raw):
    """(tensors, metadata) of a file's bytes."""
    length = int.from_bytes(raw[:8], "little")
    head = json.loads(raw[8 : 8 + length])
    metadata = head.pop("__metadata__", {})
    tensors = {}
    for name, entry in head.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        tensors[name] = np.frombuffer(raw[begin:end], DTYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors, metadata
