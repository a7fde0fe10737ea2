"""Resizes a picture by PyTorch's antialiased bicubic interpolation, which is Pillow's.

    python3 resize_bicubic.py IN.f32 HEIGHT WIDTH OUT_HEIGHT OUT_WIDTH OUT.f32     (three planes of float32)
"""

import sys

import numpy as np
import torch

source, height, width, out_height, out_width, target = sys.argv[1:]
picture = np.fromfile(source, dtype=np.float32).reshape(1, 3, int(height), int(width))
resized = torch.nn.functional.interpolate(
    torch.from_numpy(picture),
    size=(int(out_height), int(out_width)),
    mode="bicubic",
    align_corners=False,
    antialias=True,
)
resized.clamp(0, 255).numpy().astype(np.float32).tofile(target)
