"""Evaluation as PyTorch and numpy (and scipy and scikit-image, where they are) compute it: eval_reference.py IN.

IN is a safetensors file with images of bytes ([N, 3, H, W], `generated` and `real`), the weights of a small feature
model, and two float images (`image`, `reference`). Its metadata hold the model's input size, the ranges of values to
compute features for, and how many images of each set to compare, with KID's subsets. Prints one JSON object.
"""
import json
import sys

import numpy as np
import torch
from tensors import decode

try:
    from scipy import linalg
except ImportError:
    linalg = None
try:
    from skimage.metrics import structural_similarity
except ImportError:
    structural_similarity = None

RANGES = {
    "signed": ([0.5] * 3, [0.5] * 3),
    "unit": ([0] * 3, [1] * 3),
    "bytes": ([0] * 3, [1 / 255] * 3),
    "imagenet": ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
}


def features(images, weights, size, value_range):
    """The feature model on images of bytes: resize, range, two convolutions, mean."""
    x = torch.from_numpy(images.copy()).float() / 255
    x = torch.nn.functional.interpolate(
        x, size=(size, size), mode="bilinear", align_corners=False, antialias=True
    )
    mean, deviation = (torch.tensor(values).float().reshape(3, 1, 1) for values in RANGES[value_range])
    x = (x - mean) / deviation
    for layer in ("0", "2"):
        weight, bias = (torch.from_numpy(weights[f"{layer}.{part}"].copy()) for part in ("weight", "bias"))
        x = torch.relu(torch.nn.functional.conv2d(x, weight, bias, stride=2, padding=1))
    return x.mean((2, 3)).numpy().astype(np.float64)


def trace_of_root(product):
    """Tr(product^½): by scipy's sqrtm, nudged where it is singular as the usual code does, else by eigenvalues."""
    if linalg is None:
        return np.sqrt(np.linalg.eigvals(product).astype(complex)).real.sum()
    return np.trace(linalg.sqrtm(product)).real


def fid(x, y):
    difference = x.mean(0) - y.mean(0)
    sigma_x, sigma_y = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = trace_of_root(sigma_x @ sigma_y)
    return difference @ difference + np.trace(sigma_x) + np.trace(sigma_y) - 2 * root


def kid(x, y):
    def kernel(a, b):
        return (a @ b.T / a.shape[1] + 1) ** 3

    n = len(x)
    within = sum((k.sum() - np.trace(k)) / (n * (n - 1)) for k in (kernel(x, x), kernel(y, y)))
    return within - 2 * kernel(x, y).mean()


def memorization(generated, real):
    """Kaggle's cosine_distance, with its rows of zeros left out."""
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (
        generated[generated.sum(1) != 0], real[real.sum(1) != 0])]
    return np.mean(np.min(1 - np.abs(unit[0] @ unit[1].T), axis=1))


def ssim(image, reference):
    """Of images on [−1, 1], brought to intensities from 0."""
    return float(np.mean([
        structural_similarity(x, y, data_range=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
        for x, y in zip(image.astype(np.float64) + 1, reference.astype(np.float64) + 1)
    ]))


def main():
    with open(sys.argv[1], "rb") as file:
        tensors, metadata = decode(file.read())
    size, ranges = int(metadata["size"]), json.loads(metadata["ranges"])
    described = {name: features(tensors["generated"][:2], tensors, size, name).tolist() for name in ranges}
    generated, real = (features(tensors[name], tensors, size, "signed") for name in ("generated", "real"))
    result = {"features": described, "scipy": linalg is not None, "cases": []}
    for case in json.loads(metadata["cases"]):
        x, y = generated[: case["generated"]], real[: case["real"]]
        kids = [kid(x[of_x], y[of_y]) for of_x, of_y in case["subsets"]]
        result["cases"].append({
            "fid": fid(x, y), "kid": np.mean(kids), "kidDeviation": np.std(kids),
            "memorization": memorization(x, y),
        })
    if structural_similarity is not None:
        result["ssim"] = ssim(tensors["image"], tensors["reference"])
    print(json.dumps(result))


main()
