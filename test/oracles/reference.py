"""CycleGAN in plain PyTorch, as the paper and the authors' options define it: the yardstick of the tests and benches.

The objective and one training step; the networks are networks.py's. Runs on torch 1.13 and later.
It reads and writes no files and knows nothing of this project's own code.
"""
import random

import torch
from torch import nn

from networks import Dropout, initialise, patch_discriminator, resnet_generator  # noqa: F401

NETWORKS = ("G_A", "G_B", "D_A", "D_B")
LOSSES = ("D_A", "G_A", "cycle_A", "idt_A", "D_B", "G_B", "cycle_B", "idt_B")


class ImagePool:
    """The reference's history of fakes: fills first; when full, each image swaps with a random one, p 1/2.

    `choose` decides for a full pool: a slot to swap with, or None to use the new image and store nothing.
    """

    def __init__(self, size, choose=None):
        self.size = size
        self.choose = choose or self._random
        self.images = []

    def _random(self):
        return random.randrange(self.size) if random.random() < 0.5 else None

    def query(self, images):
        if self.size == 0:
            return images
        return torch.stack([self._one(image) for image in images])

    def _one(self, image):
        if len(self.images) < self.size:
            self.images.append(image)
            return image
        slot = self.choose()
        if slot is None:
            return image
        stored, self.images[slot] = self.images[slot], image
        return stored


def build(ngf=64, blocks=9, ndf=64, n_layers=3, norm="instance", dropout=False):
    """The four networks by name, uninitialised. D_A judges domain B, D_B domain A."""
    return {
        "G_A": resnet_generator(ngf, blocks, norm=norm, dropout=dropout),
        "G_B": resnet_generator(ngf, blocks, norm=norm, dropout=dropout),
        "D_A": patch_discriminator(ndf, n_layers, norm=norm),
        "D_B": patch_discriminator(ndf, n_layers, norm=norm),
    }


class CycleGan:
    """Networks, both Adams and both pools; `step` is one training step.

    After a step every parameter's `.grad` still holds the gradient that its Adam was given.
    """

    def __init__(
        self,
        nets,
        lr=2e-4,
        lambda_a=10.0,
        lambda_b=10.0,
        lambda_identity=0.5,
        lambda_gan_a=1.0,
        lambda_gan_b=1.0,
        lambda_gp=10.0,
        betas=(0.5, 0.999),
        pool_a=None,
        pool_b=None,
        gan="lsgan",
        mixing=None,
    ):
        """`mixing(n)` gives the gradient penalty's shares [n, 1, 1, 1], random by default."""
        self.nets = nets
        self.gan = gan
        self.gan_loss = {"lsgan": least_squares, "vanilla": cross_entropy, "wgangp": wasserstein}[gan]
        self.lambda_a, self.lambda_b, self.lambda_identity = lambda_a, lambda_b, lambda_identity
        self.lambda_gan_a, self.lambda_gan_b, self.lambda_gp = lambda_gan_a, lambda_gan_b, lambda_gp
        self.mixing = mixing or (lambda n: torch.rand(n, 1, 1, 1))
        self.pool_a, self.pool_b = pool_a or ImagePool(0), pool_b or ImagePool(0)
        adam = {"lr": lr, "betas": betas, "eps": 1e-8}
        self.optimise_g = torch.optim.Adam([*nets["G_A"].parameters(), *nets["G_B"].parameters()], **adam)
        self.optimise_d = torch.optim.Adam([*nets["D_A"].parameters(), *nets["D_B"].parameters()], **adam)

    def step(self, real_a, real_b):
        """One step on [N, 3, H, W] images in [-1, 1]; returns the eight losses and the generators' outputs."""
        outputs = self.forward(real_a, real_b)
        losses = self._generators(real_a, real_b, outputs)
        losses.update(self._discriminators(real_a, real_b, outputs))
        return {name: losses[name].detach() for name in LOSSES}, outputs

    def forward(self, real_a, real_b):
        g_a, g_b = self.nets["G_A"], self.nets["G_B"]
        fake_b = g_a(real_a)
        rec_a = g_b(fake_b)
        fake_a = g_b(real_b)
        return {
            "fake_B": fake_b,
            "rec_A": rec_a,
            "fake_A": fake_a,
            "rec_B": g_a(fake_a),
            "idt_A": g_a(real_b),
            "idt_B": g_b(real_a),
        }

    def _generators(self, real_a, real_b, out):
        self._freeze_discriminators(True)
        l1 = nn.functional.l1_loss
        losses = {
            "G_A": self.lambda_gan_a * self.gan_loss(self.nets["D_A"](out["fake_B"]), 1.0),
            "G_B": self.lambda_gan_b * self.gan_loss(self.nets["D_B"](out["fake_A"]), 1.0),
            "cycle_A": self.lambda_a * l1(out["rec_A"], real_a),
            "cycle_B": self.lambda_b * l1(out["rec_B"], real_b),
            "idt_A": self.lambda_b * self.lambda_identity * l1(out["idt_A"], real_b),
            "idt_B": self.lambda_a * self.lambda_identity * l1(out["idt_B"], real_a),
        }
        self.optimise_g.zero_grad()
        sum(losses.values()).backward()
        self.optimise_g.step()
        return losses

    def _discriminators(self, real_a, real_b, out):
        self._freeze_discriminators(False)
        self.optimise_d.zero_grad()
        losses = {}
        for name, real, fake, pool in (
            ("D_A", real_b, out["fake_B"], self.pool_b),
            ("D_B", real_a, out["fake_A"], self.pool_a),
        ):
            judge = self.nets[name]
            shown = pool.query(fake.detach())
            losses[name] = 0.5 * (self.gan_loss(judge(real), 1.0) + self.gan_loss(judge(shown), 0.0))
            if self.gan == "wgangp":
                penalty = gradient_penalty(judge, real, shown, self.mixing(real.shape[0]))
                losses[name] = losses[name] + self.lambda_gp * penalty
            losses[name].backward()
        self.optimise_d.step()
        return losses

    def _freeze_discriminators(self, frozen):
        for name in ("D_A", "D_B"):
            for parameter in self.nets[name].parameters():
                parameter.requires_grad_(not frozen)


def least_squares(scores, target):
    """LSGAN: mean squared distance of every patch's score to the target."""
    return ((scores - target) ** 2).mean()


def cross_entropy(scores, target):
    """The paper's first form, called vanilla: each patch's score is the logit of being real."""
    return nn.functional.binary_cross_entropy_with_logits(scores, torch.full_like(scores, target))


def wasserstein(scores, target):
    """The scores themselves: real ones are to grow, translated ones to fall."""
    return -scores.mean() if target == 1.0 else scores.mean()


def gradient_penalty(judge, real, fake, share):
    """Mean of (|slope of the scores' sum| - 1)^2 between real and fake, the norm over all of a sample's elements."""
    mixed = (share * real + (1 - share) * fake).detach().requires_grad_(True)
    (slope,) = torch.autograd.grad(judge(mixed).sum(), mixed, create_graph=True)
    norm = (slope.flatten(1) + 1e-16).norm(2, dim=1)
    return ((norm - 1.0) ** 2).mean()
