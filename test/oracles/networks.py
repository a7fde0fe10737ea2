"""The reference's networks in plain PyTorch, under its parameter names, from the configurations that checkpoints keep.

Knows no losses and no training, and nothing of this project's own code. Runs on torch 1.13 and later.
"""
import torch
from torch import nn


class Dropout(nn.Module):
    """While training each activation is 0 or doubled, at even odds; `mask(shape)` decides where it is given."""

    mask = None

    def forward(self, x):
        if self.mask is None or not self.training:
            return nn.functional.dropout(x, 0.5, self.training)
        return 2 * x * self.mask(x.shape)


def normalisation(kind, channels):
    """By the reference's settings: instance norm has neither parameters nor running statistics, batch norm both."""
    if kind == "batch":
        return nn.BatchNorm2d(channels, affine=True, track_running_stats=True)
    if kind == "instance":
        return nn.InstanceNorm2d(channels, affine=False, track_running_stats=False)
    return nn.Identity()


def has_bias(norm):
    """Whether convolutions before a normalisation have a bias: with instance norm alone, also where there is none."""
    return norm == "instance"


def upsampling(how, inputs, outputs, kernel, bias):
    """Twice the size: a transposed convolution, or nearest neighbours and a convolution."""
    if how == "resize":
        return [nn.Upsample(scale_factor=2), nn.ReflectionPad2d(1), nn.Conv2d(inputs, outputs, 3, bias=bias)]
    extra = {3: 1, 4: 0}[kernel]
    return [nn.ConvTranspose2d(inputs, outputs, kernel, stride=2, padding=1, output_padding=extra, bias=bias)]


class ResnetBlock(nn.Module):
    """x + conv(conv(x)), reflection-padded; nothing after the sum."""

    def __init__(self, channels, norm="instance", dropout=False):
        super().__init__()
        layers = []
        for last in (False, True):
            layers += [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3, bias=has_bias(norm))]
            layers += [normalisation(norm, channels)]
            layers += [] if last else [nn.ReLU()] + [Dropout()] * dropout
        self.conv_block = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.conv_block(x)


class Network(nn.Module):
    """A chain of layers under the name `model`, which gives the parameters the reference's keys."""

    def __init__(self, layers):
        super().__init__()
        self.model = nn.Sequential(*layers)

    def forward(self, x):
        return self.model(x)


def resnet_generator(ngf=64, blocks=9, inputs=3, outputs=3, norm="instance", dropout=False, upsample="transpose"):
    bias = has_bias(norm)
    layers = [nn.ReflectionPad2d(3), nn.Conv2d(inputs, ngf, 7, bias=bias), normalisation(norm, ngf), nn.ReLU()]
    for width in (ngf, 2 * ngf):
        layers += [nn.Conv2d(width, 2 * width, 3, stride=2, padding=1, bias=bias)]
        layers += [normalisation(norm, 2 * width), nn.ReLU()]
    layers += [ResnetBlock(4 * ngf, norm, dropout) for _ in range(blocks)]
    for width in (4 * ngf, 2 * ngf):
        layers += upsampling(upsample, width, width // 2, 3, bias)
        layers += [normalisation(norm, width // 2), nn.ReLU()]
    return Network(layers + [nn.ReflectionPad2d(3), nn.Conv2d(ngf, outputs, 7), nn.Tanh()])


class UnetLevel(nn.Module):
    """One level of a U-Net and all within it, beside its input, which its first layer changes in place."""

    def __init__(self, layers):
        super().__init__()
        self.model = nn.Sequential(*layers)

    def forward(self, x):
        return torch.cat([x, self.model(x)], 1)


def unet_generator(ngf=64, downs=8, inputs=3, outputs=3, norm="instance", dropout=False, upsample="transpose"):
    bias = has_bias(norm)

    def down(before, after):
        return nn.Conv2d(before, after, 4, stride=2, padding=1, bias=bias)

    # From the innermost level outwards: (channels outside, channels inside).
    eight = 8 * ngf
    layers = [nn.LeakyReLU(0.2, inplace=True), down(eight, eight), nn.ReLU()]
    level = UnetLevel(layers + upsampling(upsample, eight, eight, 4, bias) + [normalisation(norm, eight)])
    outside = [eight] * (downs - 5) + [4 * ngf, 2 * ngf, ngf]
    inside = [eight] * (downs - 5) + [eight, 4 * ngf, 2 * ngf]
    for place, (outer, inner) in enumerate(zip(outside, inside)):
        layers = [nn.LeakyReLU(0.2, inplace=True), down(outer, inner), normalisation(norm, inner), level, nn.ReLU()]
        layers += upsampling(upsample, 2 * inner, outer, 4, bias) + [normalisation(norm, outer)]
        level = UnetLevel(layers + [Dropout()] * (dropout and place < downs - 5))
    layers = [down(inputs, ngf), level, nn.ReLU(), *upsampling(upsample, 2 * ngf, outputs, 4, True), nn.Tanh()]
    # The reference's outermost level is a module within the network, and so are its names.
    unet = Network([])
    unet.model = Network(layers)
    return unet


def patch_discriminator(ndf=64, n_layers=3, channels=3, norm="instance"):
    """PatchGAN; three layers see 70 x 70 pixels. Gives raw scores, no sigmoid."""
    layers = [nn.Conv2d(channels, ndf, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
    width = ndf
    for n in range(1, n_layers + 1):
        wider = ndf * min(2**n, 8)
        stride = 2 if n < n_layers else 1
        layers += [nn.Conv2d(width, wider, 4, stride=stride, padding=1, bias=has_bias(norm))]
        layers += [normalisation(norm, wider), nn.LeakyReLU(0.2)]
        width = wider
    return Network(layers + [nn.Conv2d(width, 1, 4, padding=1)])


class PixelDiscriminator(nn.Module):
    """A raw score for each pixel by itself; its layers are under the name `net`."""

    def __init__(self, ndf=64, channels=3, norm="instance"):
        super().__init__()
        bias = has_bias(norm)
        self.net = nn.Sequential(
            nn.Conv2d(channels, ndf, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(ndf, 2 * ndf, 1, bias=bias),
            normalisation(norm, 2 * ndf),
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * ndf, 1, 1, bias=bias),
        )

    def forward(self, x):
        return self.net(x)


def generator(config, reverse=False):
    """By a configuration as checkpoints keep it: G_A, or reversed G_B."""
    ends = [config["inputChannels"], config["outputChannels"]]
    inputs, outputs = reversed(ends) if reverse else ends
    common = dict(inputs=inputs, outputs=outputs, norm=config["norm"], dropout=config["dropout"])
    common["upsample"] = config["upsample"]
    if config["kind"] == "unet":
        return unet_generator(config["ngf"], config["downs"], **common)
    return resnet_generator(config["ngf"], config["blocks"], **common)


def discriminator(config, channels):
    """By a configuration as checkpoints keep it, for a domain of so many channels."""
    if config["kind"] == "pixel":
        return PixelDiscriminator(config["ndf"], channels, config["norm"])
    return patch_discriminator(config["ndf"], config["layers"], channels, config["norm"])


def initialise(network, generator=None):
    """N(0, 0.02) for the weights, N(1, 0.02) for batch norm's, zero for the biases."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("bias"):
                parameter.zero_()
            else:
                parameter.normal_(1.0 if parameter.dim() == 1 else 0.0, 0.02, generator=generator)
    return network
