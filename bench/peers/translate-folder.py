"""A folder of images through an ONNX model with onnxruntime, Pillow and NumPy, as a careful script would do it: one
after the other, or with a pool of threads that decodes ahead and encodes behind. A turn for each line on stdin
(`plain` or `pool`), answered with its seconds; see bench/folder.mjs.

    translate-folder.py MODEL IN OUT THREADS QUALITY
"""

import os
import sys
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime as ort
import PIL
from PIL import Image

model, source, target, threads, quality = sys.argv[1:4] + [int(word) for word in sys.argv[4:6]]
options = ort.SessionOptions()
options.intra_op_num_threads = threads
session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name
AHEAD = 4


def decode(file):
    with Image.open(os.path.join(source, file)) as image:
        pixels = np.asarray(image.convert("RGB"), dtype=np.float32)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None]) / np.float32(127.5) - np.float32(1)


def run(planes):
    return session.run(None, {name: planes})[0]


def encode(file, planes):
    pixels = np.clip(np.rint((planes[0] + 1) * 127.5), 0, 255).astype(np.uint8).transpose(1, 2, 0)
    Image.fromarray(np.ascontiguousarray(pixels)).save(os.path.join(target, file), quality=quality)


def plain(files):
    for file in files:
        encode(file, run(decode(file)))


def pool(files):
    waiting, saving = deque(), deque()
    with ThreadPoolExecutor(max_workers=2) as executor:
        for file in files[:AHEAD]:
            waiting.append(executor.submit(decode, file))
        for i, file in enumerate(files):
            planes = waiting.popleft().result()
            if i + AHEAD < len(files):
                waiting.append(executor.submit(decode, files[i + AHEAD]))
            saving.append(executor.submit(encode, file, run(planes)))
            if len(saving) > AHEAD:
                saving.popleft().result()
        for job in saving:
            job.result()


os.makedirs(target, exist_ok=True)
files = sorted(file for file in os.listdir(source) if file.endswith(".jpg"))
run(decode(files[0]))
print(f"onnxruntime {ort.__version__}, Pillow {PIL.__version__}", flush=True)
for line in sys.stdin:
    started = time.perf_counter()
    {"plain": plain, "pool": pool}[line.strip()](files)
    print(time.perf_counter() - started, flush=True)
