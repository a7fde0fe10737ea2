"""Files of torch.save as people have them, with an input and PyTorch's answer to each, in test/fixtures/pytorch.

Another folder is named by --out; one full-size generator and nothing else is written by --large PATH. Answers are
computed in float64 from the weights that are in the file. Seeds are numpy's RandomState, whose streams never change.
"""
import argparse
import collections
import json
import pathlib

import numpy as np
import torch

import network_goldens
import networks
import tensors

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "pytorch"
COMMON = {"norm": "instance", "dropout": False, "upsample": "transpose"}
RESNET = {"kind": "resnet", "blocks": 1, "ngf": 2, **COMMON}
UNET = {"kind": "unet", "downs": 5, "ngf": 1, **COMMON}
PATCH = {"kind": "patch", "ndf": 2, "layers": 3, "norm": "instance"}
RGB = {"inputChannels": 3, "outputChannels": 3}
LEGACY = {"_use_new_zipfile_serialization": False}


def cast(dtype):
    """The same weights in another precision; what is no float stays."""
    return lambda weights: {k: v.to(dtype) if v.is_floating_point() else v for k, v in weights.items()}


def with_norms(network, rng, **options):
    """Instance norm of another kind in the place of the reference's, which has neither weights nor statistics."""
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, torch.nn.InstanceNorm2d):
                setattr(module, name, torch.nn.InstanceNorm2d(child.num_features, **options))
    return network_goldens.spread_out(network, rng)


def views(weights, *_):
    """The same numbers as views: of one shared storage, transposed, cut out of larger ones, repeated by stride 0."""
    shared = torch.cat([torch.zeros(3)] + [value.reshape(-1) for value in weights.values()])
    made, at = collections.OrderedDict(), 3
    for place, (key, value) in enumerate(weights.items()):
        end = at + value.numel()
        if place % 4 == 0:
            made[key] = shared[at:end].view(value.shape)
        elif value.dim() == 4:
            made[key] = value.permute(3, 1, 0, 2).contiguous().permute(2, 1, 3, 0)
        else:
            made[key] = torch.stack([value, value + 1], 1)[:, 0]
        at = end
    # Instance norm takes it away again, whatever it is.
    made["model.4.bias"] = torch.zeros(1).expand(4)
    made["model.5.running_mean"] = torch.empty(0)
    return made


def training_program(weights, config, rng):
    """What a program of one's own keeps: both generators, a discriminator, the optimizer, counters."""
    other = network_goldens.spread_out(networks.generator(config), rng).float()
    judge = networks.discriminator(PATCH, 3)
    optimizer = torch.optim.Adam(other.parameters(), 2e-4, betas=(0.5, 0.999))
    loss = other(torch.zeros(1, 3, 16, 16)).square().mean()
    loss.backward()
    optimizer.step()
    return {
        "epoch": 12,
        "best": 0.125,
        "done": False,
        "name": "horses",
        "total": 2**40,
        "optimizer_G": optimizer.state_dict(),
        "networks": {"netG_A": weights, "netG_B": other.state_dict(), "netD_A": judge.state_dict()},
        "losses": [1.5, None, (1, 2, 3, 4)],
    }


def old_norm(weights, config, rng):
    """Beside the weights the statistics that instance norm kept by itself before PyTorch 0.4."""
    tracked = with_norms(networks.generator(config), rng, track_running_stats=True).float()
    tracked.load_state_dict(weights, strict=False)
    return tracked.state_dict()


def prefixed(prefix):
    return lambda weights, *_: collections.OrderedDict((prefix + key, value) for key, value in weights.items())


def same(weights, *_):
    return weights


# Name: configuration, size of the input, what becomes of the weights before and after the answer, torch.save's options.
CASES = {
    "resnet6": ({**RESNET, **RGB, "blocks": 6}, (20, 24), same, same, {}),
    "resnet9-legacy": ({**RESNET, **RGB, "blocks": 9}, (16, 24), same, same, LEGACY),
    "resnet-dropout": ({**RESNET, **RGB, "dropout": True}, (20, 16), same, same, {"pickle_protocol": 4}),
    "resnet-batch": ({**RESNET, **RGB, "norm": "batch"}, (20, 16), same, same, {}),
    "resnet-none-resize": (
        {**RESNET, "inputChannels": 1, "outputChannels": 3, "norm": "none", "upsample": "resize"},
        (16, 20),
        same,
        same,
        {**LEGACY, "pickle_protocol": 4},
    ),
    "resnet-old-norm": ({**RESNET, **RGB, "dropout": True}, (20, 16), same, old_norm, LEGACY),
    "resnet-wrapped": ({**RESNET, **RGB}, (20, 16), same, prefixed("_orig_mod.module."), {}),
    "resnet-fp16": ({**RESNET, **RGB}, (20, 16), cast(torch.float16), same, {}),
    "resnet-bf16": ({**RESNET, **RGB}, (20, 16), cast(torch.bfloat16), same, LEGACY),
    "resnet-fp64": ({**RESNET, **RGB, "norm": "batch"}, (20, 16), cast(torch.float64), same, {}),
    "resnet-views": ({**RESNET, **RGB}, (20, 16), same, views, {}),
    "resnet-views-legacy": ({**RESNET, **RGB}, (20, 16), same, views, LEGACY),
    "program": ({**RESNET, **RGB}, (20, 16), same, training_program, {}),
    "unet5": ({**UNET, **RGB}, (32, 64), same, same, {}),
    "unet6-batch": (
        {**UNET, "inputChannels": 3, "outputChannels": 1, "downs": 6, "norm": "batch", "dropout": True},
        (64, 64),
        same,
        prefixed("module."),
        LEGACY,
    ),
    "unet5-resize": ({**UNET, **RGB, "upsample": "resize"}, (32, 32), same, same, {}),
    "patch3": (PATCH, (32, 40), same, same, {}),
    "patch2-batch": ({**PATCH, "layers": 2, "norm": "batch"}, (24, 24), same, prefixed("module."), LEGACY),
    "pixel": ({"kind": "pixel", "ndf": 4, "norm": "batch"}, (6, 5), same, same, {}),
}


def answer_of(network, image):
    with torch.no_grad():
        return network.double().eval()(torch.from_numpy(image).double()).numpy().astype(np.float32)


def image_of(rng, shape):
    return (rng.randint(0, 256, shape) / 127.5 - 1).astype(np.float32)


def make(name, folder, seed):
    """Writes NAME.pth; returns its input and the answer."""
    config, size, before, after, options = CASES[name]
    rng = np.random.RandomState(seed)
    channels = config.get("inputChannels", 3)
    made = networks.generator(config) if "ngf" in config else networks.discriminator(config, channels)
    weights = before(network_goldens.spread_out(made, rng).float().state_dict())
    image = image_of(rng, (1, channels, *size))
    made.double().load_state_dict({key: value.double() for key, value in weights.items()})
    torch.save(after(weights, config, rng), folder / f"{name}.pth", **options)
    return image, answer_of(made, image)


def make_affine(folder):
    """Instance norm with weights, as some forks of the reference have it."""
    rng = np.random.RandomState(100)
    network = with_norms(networks.generator({**RESNET, **RGB}), rng, affine=True).float()
    torch.save(network.state_dict(), folder / "resnet-affine.pth")
    image = image_of(rng, (1, 3, 20, 16))
    return image, answer_of(network, image)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=pathlib.Path, default=FOLDER)
    parser.add_argument("--large", type=pathlib.Path)
    options = parser.parse_args()
    if options.large:
        torch.manual_seed(1)
        torch.save(networks.initialise(networks.resnet_generator()).state_dict(), options.large)
        return
    options.out.mkdir(parents=True, exist_ok=True)
    found, configs = {}, {}
    for seed, name in enumerate(CASES):
        found[f"{name}.input"], found[f"{name}.output"] = make(name, options.out, seed)
        configs[name] = json.dumps(CASES[name][0])
    found["resnet-affine.input"], found["resnet-affine.output"] = make_affine(options.out)
    configs["resnet-affine"] = "null"
    (options.out / "answers.safetensors").write_bytes(tensors.encode(found, configs))
    print(f"{len(configs)} files by torch {torch.__version__}")


if __name__ == "__main__":
    main()
