"""The golden of every kind of network: what networks.py answers, as it is used and while it trains.

For make_goldens.py, which writes and compares. Float64 throughout, stored as float32.
"""
import json

import numpy as np
import torch

import networks

GENERATOR = {"kind": "resnet", "blocks": 1, "ngf": 2, "norm": "instance", "dropout": False, "upsample": "transpose"}
UNET = {**GENERATOR, "kind": "unet", "ngf": 1, "downs": 6}
DISCRIMINATOR = {"kind": "patch", "ndf": 2, "layers": 2, "norm": "instance"}
THREE_TO_ONE = {"inputChannels": 3, "outputChannels": 1}
ONE_TO_THREE = {"inputChannels": 1, "outputChannels": 3}

# Configuration and the shape of its input; discriminators take their channels from that.
CASES = {
    "resnet-instance-dropout": ({**GENERATOR, **THREE_TO_ONE, "dropout": True}, (2, 3, 16, 20)),
    "resnet-batch-dropout": ({**GENERATOR, **THREE_TO_ONE, "norm": "batch", "dropout": True}, (2, 3, 16, 12)),
    "resnet-none-resize": ({**GENERATOR, **ONE_TO_THREE, "norm": "none", "upsample": "resize"}, (1, 1, 12, 20)),
    "unet-instance-dropout": ({**UNET, **THREE_TO_ONE, "dropout": True}, (1, 3, 64, 128)),
    "unet-batch-dropout": ({**UNET, **THREE_TO_ONE, "norm": "batch", "dropout": True}, (2, 3, 64, 64)),
    # Of five levels none is in the middle, so that there is nothing for dropout to do.
    "unet-none-resize": (
        {**UNET, **ONE_TO_THREE, "downs": 5, "norm": "none", "dropout": True, "upsample": "resize"},
        (1, 1, 32, 64),
    ),
    "patch-batch": ({**DISCRIMINATOR, "norm": "batch"}, (2, 1, 20, 16)),
    "patch-none": ({**DISCRIMINATOR, "norm": "none"}, (1, 3, 16, 20)),
    "pixel-instance": ({**DISCRIMINATOR, "kind": "pixel"}, (1, 3, 6, 5)),
    "pixel-batch": ({**DISCRIMINATOR, "kind": "pixel", "norm": "batch"}, (2, 3, 6, 5)),
    "pixel-none": ({**DISCRIMINATOR, "kind": "pixel", "norm": "none"}, (1, 1, 6, 5)),
}


def spread_out(network, rng):
    """Random values for all that is kept, of sizes that neither lose nor drown the signal. In place."""
    with torch.no_grad():
        for key, value in network.state_dict().items():
            if not value.is_floating_point():
                continue
            noise = rng.normal(0.0, 1.0, tuple(value.shape))
            if value.dim() > 1:
                values = noise * np.sqrt(2 / value[0].numel())
            elif key.endswith("running_var"):
                values = np.exp(0.3 * noise)
            else:
                values = float(key.endswith("weight")) + 0.2 * noise
            value.copy_(torch.from_numpy(values.astype(np.float32)))
    return network.double()


def stored(tensor):
    return tensor.detach().numpy().astype(np.float32)


def buffers(network):
    return {key: value for key, value in network.named_buffers() if value.is_floating_point()}


def case(name, config, shape, rng):
    """Weights, an input, the answer to it; and where training differs, two applications with all that they change."""
    made = networks.generator(config) if "ngf" in config else networks.discriminator(config, shape[1])
    network = spread_out(made, rng)
    inputs = [rng.randint(0, 256, shape).astype(np.uint8) for _ in range(2)]
    images = [torch.from_numpy(values / np.float32(127.5) - np.float32(1)).double() for values in inputs]
    found = {f"weights.{key}": stored(value) for key, value in network.named_parameters()}
    found.update({f"weights.{key}": stored(value) for key, value in buffers(network).items()})
    found["input.1"] = inputs[0]
    found["eval"] = stored(network.eval()(images[0]))
    differs = {networks.Dropout, torch.nn.BatchNorm2d} & {type(module) for module in network.modules()}
    if differs:
        found["input.2"] = inputs[1]
        masks = []

        def mask(shape):
            masks.append(rng.randint(0, 2, tuple(shape)).astype(np.uint8))
            return torch.from_numpy(masks[-1]).double()

        networks.Dropout.mask = staticmethod(mask)
        network.train()
        for turn, image in enumerate(images, 1):
            output = network(image)
            found[f"train.{turn}"] = stored(output)
            found.update({f"after.{turn}.{key}": stored(value) for key, value in buffers(network).items()})
            if turn == 1:
                (output**2).mean().backward()
        networks.Dropout.mask = None
        found.update({f"mask.{place}": values for place, values in enumerate(masks)})
        found.update({f"grad.{key}": stored(value.grad) for key, value in network.named_parameters()})
    return {f"{name}.{key}": value for key, value in found.items()}


def golden():
    rng = np.random.RandomState(8)
    found = {}
    for name, (config, shape) in CASES.items():
        found.update(case(name, config, shape, rng))
    return found, {name: json.dumps(config) for name, (config, _) in CASES.items()}
