"""Generators as torch.onnx exports them, with sizes left open: OUT/NAME.OPSET.onnx for each opset named.

With --dynamo by PyTorch's newer exporter, which needs PyTorch 2.6 or later and onnxscript. What an exporter refuses is
left out and said. Seeds are PyTorch's: the files differ from release to release, as their answers do.
"""
import argparse
import pathlib
import warnings

import onnx
import torch
from torch import nn
from torch.nn import functional as F

import networks

COMMON = {"norm": "instance", "dropout": False, "upsample": "transpose"}
RESNET = {"kind": "resnet", "blocks": 1, "ngf": 4, "inputChannels": 3, "outputChannels": 3, **COMMON}


class Of(nn.Module):
    """A function of modules and an image, as a module."""

    def __init__(self, function, *parts):
        super().__init__()
        self.parts = nn.ModuleList(parts)
        self.function = function

    def forward(self, x):
        return self.function(x, *self.parts)


def resnet(norm):
    """A small ResNet generator with another normalisation in the place of instance norm."""
    k = 4
    body = nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(2 * k, 2 * k, 3), norm(2 * k), nn.ReLU(), nn.Dropout(0.5))
    return nn.Sequential(
        *[nn.ReflectionPad2d(3), nn.Conv2d(3, k, 7), norm(k), nn.ReLU()],
        *[nn.Conv2d(k, 2 * k, 3, 2, 1), norm(2 * k), nn.ReLU(), Of(lambda x, inner: x + inner(x), body)],
        *[nn.ConvTranspose2d(2 * k, k, 3, 2, 1, output_padding=1), norm(k), nn.ReLU()],
        *[nn.ReflectionPad2d(3), nn.Conv2d(k, 3, 7), nn.Tanh()],
    )


def unet(x, *parts):
    """Three levels, each of which halves and is joined to what comes back."""
    down, up = parts[:3], parts[3:]
    skips = []
    for part in down:
        x = F.leaky_relu(part(x), 0.2)
        skips.append(x)
    for i, part in enumerate(up):
        x = part(F.relu(x if i == 0 else torch.cat([x, skips[-1 - i]], 1)))
    return torch.tanh(x)


def attention(x):
    """Each pixel looks at all: products of sizes, and back."""
    n, c, h, w = x.shape
    rows = x.view(n, c, h * w)
    weights = torch.softmax(torch.bmm(rows.permute(0, 2, 1), rows), -1)
    return torch.bmm(rows, weights).view(n, c, h, w)


def pad_to_multiple(x):
    h, w = x.shape[2], x.shape[3]
    return F.pad(x, (0, (8 - w % 8) % 8, 0, (8 - h % 8) % 8), mode="reflect")


def conv(inputs, outputs, **options):
    return nn.Conv2d(inputs, outputs, 3, padding=1, **options)


MODELS = {
    "reference_resnet": lambda: networks.generator(RESNET),
    "resnet_instance": lambda: resnet(nn.InstanceNorm2d),
    "resnet_affine": lambda: resnet(lambda c: nn.InstanceNorm2d(c, affine=True)),
    "resnet_batch": lambda: resnet(nn.BatchNorm2d),
    "resnet_group": lambda: resnet(lambda c: nn.GroupNorm(2, c)),
    "unet": lambda: Of(
        unet,
        *[nn.Conv2d(3, 4, 4, 2, 1), nn.Conv2d(4, 8, 4, 2, 1), nn.Conv2d(8, 8, 4, 2, 1)],
        *[nn.ConvTranspose2d(8, 8, 4, 2, 1), nn.ConvTranspose2d(16, 4, 4, 2, 1), nn.ConvTranspose2d(8, 3, 4, 2, 1)],
    ),
    "upsample_nearest": lambda: nn.Sequential(conv(3, 4, stride=2), nn.Upsample(scale_factor=2), conv(4, 3)),
    "upsample_bilinear": lambda: nn.Sequential(
        conv(3, 4, stride=2), nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
    ),
    "upsample_corners": lambda: nn.Sequential(
        conv(3, 4, stride=2), nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
    ),
    "interpolate_nearest": lambda: Of(lambda x, down: F.interpolate(down(x), size=x.shape[2:]), conv(3, 3, stride=2)),
    "interpolate_bilinear": lambda: Of(
        lambda x, down: F.interpolate(down(x), size=x.shape[2:], mode="bilinear", align_corners=False),
        conv(3, 3, stride=2),
    ),
    "pixel_shuffle": lambda: nn.Sequential(conv(3, 8, stride=2), conv(8, 12, groups=4), nn.PixelShuffle(2)),
    "pooled": lambda: nn.Sequential(
        conv(3, 4), nn.PReLU(4), nn.MaxPool2d(2), nn.AvgPool2d(3, 1, 1), nn.Hardswish(), nn.Softmax(1)
    ),
    "attention": lambda: Of(attention),
    "pad_to_multiple": lambda: Of(pad_to_multiple),
    "crop": lambda: Of(lambda x: F.pad(x, (2, 2, 2, 2))[:, :, 2:-2, 2:-2]),
    "statistics": lambda: Of(lambda x: (x - x.mean((2, 3), True)) / (x.std((2, 3), keepdim=True) + 1e-5)),
    "expand": lambda: Of(lambda x: torch.clamp(x.mean((2, 3), True).expand(-1, -1, x.shape[2], x.shape[3]) + x, -1, 1)),
    "chunks": lambda: Of(lambda x, wide: torch.cat(torch.chunk(wide(x), 2, 1)[::-1], 1), conv(3, 6)),
    "gelu": lambda: nn.GELU(),
}


def drawn(model):
    """Weights and statistics that a test can tell apart."""
    for module in model.modules():
        if getattr(module, "running_mean", None) is not None:
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
        if isinstance(module, (nn.BatchNorm2d, nn.InstanceNorm2d, nn.GroupNorm)) and module.affine:
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias)
    return model.eval()


def export(model, path, opset, dynamo):
    names = {"input_names": ["input"], "output_names": ["output"], "opset_version": opset}
    image = torch.randn(2, 3, 16, 24)
    if dynamo:
        free = torch.export.Dim.DYNAMIC
        sizes = ({0: free, 2: free, 3: free},)
        torch.onnx.export(model, (image,), path, dynamo=True, external_data=False, dynamic_shapes=sizes, **names)
    else:
        axes = {0: "N", 2: "H", 3: "W"}
        older = {"dynamo": False} if hasattr(torch, "export") else {}
        torch.onnx.export(model, image, path, dynamic_axes={"input": axes, "output": axes}, **older, **names)
    # Where a node came from on this machine is nobody's business.
    exported = onnx.load(path)
    for part in [exported.graph, *exported.graph.node, *exported.graph.value_info, *exported.graph.output]:
        part.doc_string = ""
        if hasattr(part, "metadata_props"):
            del part.metadata_props[:]
    onnx.save(exported, path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--opsets", default="9,11,13,17")
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--dynamo", action="store_true")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    for name in arguments.models.split(","):
        torch.manual_seed(0)
        model = drawn(MODELS[name]())
        for opset in map(int, arguments.opsets.split(",")):
            try:
                export(model, str(arguments.out / f"{name}.{opset}.onnx"), opset, arguments.dynamo)
            except Exception as error:  # the exporters' refusals have no class in common
                print(f"{name}.{opset}: {str(error).strip().splitlines()[0][:90]}")
