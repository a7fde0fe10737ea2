"""Writes generators as ONNX files with PyTorch's own exporter: generators_onnx.py FOLDER CASES.

CASES is JSON, name to {config, opset, dynamic, shape}; each becomes FOLDER/name.onnx, with input `x` and output `y`.
"""
import json
import os
import sys
import warnings

import torch

from networks import generator


def main(folder, cases):
    torch.manual_seed(0)
    for name, case in json.loads(cases).items():
        network = generator(case["config"]).eval()
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter, 0, 0.1)
        axes = {0: "n", 2: "h", 3: "w"}
        torch.onnx.export(
            network,
            torch.randn(*case["shape"]),
            os.path.join(folder, f"{name}.onnx"),
            opset_version=case["opset"],
            input_names=["x"],
            output_names=["y"],
            dynamic_axes={"x": axes, "y": axes} if case["dynamic"] else None,
        )


# The exporter warns of what it does to InstanceNorm, which is what is wanted.
warnings.filterwarnings("ignore")
main(*sys.argv[1:])
