"""Makes the goldens in test/goldens from reference.py, or with --check compares what it would make with them.

Everything is computed in float64 and stored as float32, so that any build of PyTorch gives the same files and the
goldens carry no rounding of their own. Seeds are numpy's RandomState, whose streams never change.
"""
import argparse
import json
import pathlib
import sys

import numpy as np
import torch

import network_goldens
import reference
import tensors

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "goldens"
NETWORKS = {"ngf": 4, "blocks": 2, "ndf": 4, "n_layers": 3}
# Larger than the usual initialisation: with it so small networks are chaotic, and float32 rounding grows past any
# tolerance within 20 steps.
SCALES = {"G": 0.2, "D": 0.4}
STEPS = 20
IMAGES = 4
SMALL = {"ngf": 2, "blocks": 2, "ndf": 2, "n_layers": 2}
# Every weight and both betas other than usual; one adversarial and one cycle term off.
WEIGHTS = {
    "lambda_gan_a": 0.0,
    "lambda_gan_b": 0.5,
    "lambda_a": 0.0,
    "lambda_b": 5.0,
    "lambda_identity": 0.25,
    "betas": [0.7, 0.9],
}


def random_weights(network, rng, scale):
    """With biases, so that no term of a gradient hides behind zeros."""
    with torch.no_grad():
        for parameter in network.parameters():
            values = rng.normal(0.0, scale, tuple(parameter.shape)).astype(np.float32)
            parameter.copy_(torch.from_numpy(values))
    return network.double()


def random_images(rng, height, width):
    """uint8 [IMAGES, 3, height, width]: soft blotches with some grain, as pictures have."""
    coarse = rng.uniform(0, 255, (IMAGES, 3, -(-height // 8), -(-width // 8)))
    soft = coarse.repeat(8, axis=2).repeat(8, axis=3)[:, :, :height, :width]
    return np.clip(soft + rng.normal(0, 20, soft.shape), 0, 255).astype(np.uint8)


def to_tensor(images):
    """[-1, 1] by the rule of the data pipeline, rounded to float32 as there."""
    scaled = (images.astype(np.float32) / np.float32(255) - np.float32(0.5)) / np.float32(0.5)
    return torch.from_numpy(scaled).double()


def stored(tensor):
    return tensor.detach().numpy().astype(np.float32)


def parameters(nets):
    return {f"{net}.{key}": value for net in nets for key, value in nets[net].named_parameters()}


def all_weights():
    rng = np.random.RandomState(1)
    nets = reference.build(**NETWORKS)
    for name in reference.NETWORKS:
        random_weights(nets[name], rng, SCALES[name[0]])
    return nets


def weights_golden():
    return {key: stored(value) for key, value in parameters(all_weights()).items()}, {"networks": json.dumps(NETWORKS)}


def forward_golden():
    """A generator at three sizes and discriminators of one, two and three layers; the latter with their weights."""
    rng = np.random.RandomState(2)
    generator = all_weights()["G_A"]
    found = {}
    for height, width in ((32, 32), (24, 40), (36, 28)):
        images = random_images(rng, height, width)[:1]
        found[f"generator.{height}x{width}.input"] = images
        found[f"generator.{height}x{width}.output"] = stored(generator(to_tensor(images)))
    images = random_images(rng, 34, 41)[:2]
    found["discriminator.input"] = images
    for n_layers in (1, 2, 3):
        judge = random_weights(reference.patch_discriminator(NETWORKS["ndf"], n_layers), rng, SCALES["D"])
        for key, value in judge.named_parameters():
            found[f"discriminator.{n_layers}.{key}"] = stored(value)
        found[f"discriminator.{n_layers}.output"] = stored(judge(to_tensor(images)))
    return found, {"networks": json.dumps(NETWORKS)}


class ScriptedPool(reference.ImagePool):
    """Decides by a seed, and records what it did in two forms that need no knowledge of the pool's rule.

    `decisions`: for each image -2 stored while filling, -1 used and not stored, else the slot it swapped with.
    `shown` and `kept`: indices into [images stored before the step…, this step's fakes…] of what the discriminator
    saw and of what each slot held afterwards (-1: still empty).
    """

    def __init__(self, size, seed):
        rng = np.random.RandomState(seed)
        super().__init__(size, lambda: int(rng.randint(size)) if rng.uniform() < 0.5 else None)
        self.decisions, self.shown, self.kept = [], [], []

    def query(self, images):
        held = len(self.images)
        before = [*self.images, *images]
        self._decided = []
        result = super().query(images)
        index = lambda image: next(i for i, other in enumerate(before) if torch.equal(other, image))
        self.decisions.append(self._decided)
        self.shown.append([index(image) for image in result])
        self.kept.append([index(image) for image in self.images] + [-1] * (self.size - len(self.images)))
        assert all(0 <= i < held + len(images) for i in self.shown[-1])
        return result

    def _one(self, image):
        before = list(self.images)
        result = super()._one(image)
        changed = [i for i, now in enumerate(self.images) if i >= len(before) or now is not before[i]]
        self._decided.append(-2 if len(self.images) > len(before) else changed[0] if changed else -1)
        return result


def first_step_golden(gan, lambda_identity):
    """Losses and gradients of one step on one image of each domain."""
    rng = np.random.RandomState(6)
    found = {"images.A": random_images(rng, 32, 32)[:1], "images.B": random_images(rng, 32, 32)[:1]}
    for name in ("order.A", "order.B"):
        found[name] = np.array([[0]], np.int32)
    nets = all_weights()
    model = reference.CycleGan(nets, gan=gan, lambda_identity=lambda_identity)
    losses, _ = model.step(to_tensor(found["images.A"]), to_tensor(found["images.B"]))
    found["losses"] = np.array([[float(losses[name]) for name in reference.LOSSES]], np.float32)
    found.update({f"grad.{key}": stored(value.grad) for key, value in parameters(nets).items()})
    facts = {"gan": gan, "lambda_identity": str(lambda_identity), "losses": json.dumps(reference.LOSSES)}
    return found, {"networks": json.dumps(NETWORKS), **facts}


def step_golden(batch, height, width, pool_size):
    """First step whole, then the losses of STEPS steps and a summary of the weights at their end."""
    rng = np.random.RandomState(3)
    found = {"images.A": random_images(rng, height, width), "images.B": random_images(rng, height, width)}
    real_a, real_b = to_tensor(found["images.A"]), to_tensor(found["images.B"])
    nets = all_weights()
    pools = {"A": ScriptedPool(pool_size, 4), "B": ScriptedPool(pool_size, 5)} if pool_size else {"A": None, "B": None}
    model = reference.CycleGan(nets, pool_a=pools["A"], pool_b=pools["B"])
    trajectory = []
    for step in range(STEPS):
        of_a = [(step * batch + i) % IMAGES for i in range(batch)]
        # B runs backwards, so that every step meets another pair.
        of_b = [(-1 - step * batch - i - step // IMAGES) % IMAGES for i in range(batch)]
        found.setdefault("order.A", []).append(of_a)
        found.setdefault("order.B", []).append(of_b)
        losses, outputs = model.step(real_a[of_a], real_b[of_b])
        trajectory.append([float(losses[name]) for name in reference.LOSSES])
        if step == 0:
            found.update({f"step1.{name}": stored(value) for name, value in outputs.items()})
            for key, value in parameters(nets).items():
                found[f"grad.{key}"] = stored(value.grad)
            found.update({f"after1.{key}": stored(value) for key, value in parameters(nets).items()})
    found["losses"] = np.array(trajectory, np.float32)
    for key, value in parameters(nets).items():
        found[f"after20.{key}"] = np.array(summary(value.detach().numpy()), np.float32)
    for name in ("order.A", "order.B"):
        found[name] = np.array(found[name], np.int32)
    for domain, pool in pools.items():
        for kind in ("decisions", "shown", "kept") if pool else ():
            found[f"pool.{domain}.{kind}"] = np.array(getattr(pool, kind), np.int32)
    facts = {"networks": json.dumps(NETWORKS), "losses": json.dumps(reference.LOSSES), "pool": str(pool_size)}
    return found, facts


def random_batch_norm(nets, rng):
    """Factors about 1, so that the signal is kept, and offsets; the convolutions as elsewhere."""
    for name in reference.NETWORKS:
        random_weights(nets[name], rng, SCALES[name[0]])
        with torch.no_grad():
            for key, value in nets[name].named_parameters():
                value += float(value.dim() == 1 and key.endswith("weight"))


def options_golden(options, networks=None, steps=3):
    """A few steps on two images of each domain, with whatever is random given: noise.*, by the step graph's names.

    Gradients of the first step, the losses of all, and weights and buffers after the last.
    """
    rng = np.random.RandomState(7)
    found = {"images.A": random_images(rng, 32, 32)[:2], "images.B": random_images(rng, 32, 32)[:2]}
    for name in ("order.A", "order.B"):
        found[name] = np.array([[0, 1]] * steps, np.int32)
    real_a, real_b = to_tensor(found["images.A"]), to_tensor(found["images.B"])
    if networks:
        nets = reference.build(**networks)
        random_batch_norm(nets, rng)
        found.update({f"start.{key}": stored(value) for key, value in parameters(nets).items()})
    else:
        nets = all_weights()
    noise = {}

    def draw(what, values):
        name = f"noise.{what}.{sum(key.startswith(f'noise.{what}.') for key in noise)}"
        noise[name] = values
        return torch.from_numpy(values).double()

    reference.Dropout.mask = staticmethod(lambda shape: draw("dropout", rng.randint(0, 2, tuple(shape)).astype(np.uint8)))
    mixing = lambda n: draw("mix", rng.uniform(size=(n, 1, 1, 1)).astype(np.float32))
    model = reference.CycleGan(nets, mixing=mixing, **options)
    trajectory, drawn = [], []
    for step in range(steps):
        noise.clear()
        losses, _ = model.step(real_a, real_b)
        trajectory.append([float(losses[name]) for name in reference.LOSSES])
        drawn.append(dict(noise))
        if step == 0:
            found.update({f"grad.{key}": stored(value.grad) for key, value in parameters(nets).items()})
    reference.Dropout.mask = None
    found["losses"] = np.array(trajectory, np.float32)
    for name in drawn[0]:
        found[name] = np.stack([of_step[name] for of_step in drawn])
    for key, value in parameters(nets).items():
        found[f"after.{key}"] = np.array(summary(value.detach().numpy()), np.float32)
    for net in nets:
        for key, value in nets[net].named_buffers():
            if value.is_floating_point():
                found[f"buffers.{net}.{key}"] = stored(value)
    facts = {"options": json.dumps(options), "losses": json.dumps(reference.LOSSES)}
    return found, {"networks": json.dumps(networks or NETWORKS), **facts}


def summary(values):
    """Mean, root mean square, first and last value."""
    return [values.mean(), np.sqrt((values**2).mean()), values.flat[0], values.flat[-1]]


GOLDENS = {
    "weights": weights_golden,
    "forward": forward_golden,
    "networks": network_goldens.golden,
    "step-batch1": lambda: step_golden(1, 32, 32, 0),
    "step-batch2-pool": lambda: step_golden(2, 32, 36, 3),
    "step-vanilla": lambda: first_step_golden("vanilla", 0),
    "step-wgangp": lambda: options_golden({"gan": "wgangp", "lambda_gp": 0.01}),
    "step-weights": lambda: options_golden(WEIGHTS),
    "step-batchnorm": lambda: options_golden({}, {**SMALL, "norm": "batch", "dropout": True}),
}


def difference(name, made, kept):
    """Nothing, or one line about a tensor that is not what the committed file holds."""
    if made.dtype != kept.dtype or made.shape != kept.shape:
        return f"{name}: {kept.dtype}{kept.shape} in the file, {made.dtype}{made.shape} made"
    if made.dtype != np.float32:
        return None if np.array_equal(made, kept) else f"{name}: other values"
    relative = 1e-4 if name == "losses" or name.startswith("after20.") else 1e-5
    # Gradients that are zero but for rounding have no size to be relative to.
    allowed = relative * np.abs(kept).max(initial=0) + 1e-9
    found = np.abs(made.astype(np.float64) - kept).max(initial=0)
    return f"{name}: differs by {found:.3g}, allowed {allowed:.3g}" if not found <= allowed else None


def check(name, made, facts):
    path = FOLDER / f"{name}.safetensors"
    if not path.exists():
        return [f"{path}: missing"]
    kept, kept_facts = tensors.decode(path.read_bytes())
    wrong = [] if facts == kept_facts else ["metadata: other values"]
    wrong += [f"{key}: only in one of the two" for key in sorted(made.keys() ^ kept.keys())]
    wrong += [difference(key, made[key], kept[key]) for key in made.keys() & kept.keys()]
    return [f"{name}: {line}" for line in wrong if line]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the committed files; exit 1 when they differ")
    options = parser.parse_args()
    torch.set_num_threads(1)
    wrong = []
    for name, make in GOLDENS.items():
        found, facts = make()
        if options.check:
            wrong += check(name, found, facts)
        else:
            FOLDER.mkdir(exist_ok=True)
            (FOLDER / f"{name}.safetensors").write_bytes(tensors.encode(found, facts))
    for line in wrong:
        print(line, file=sys.stderr)
    if options.check and not wrong:
        print(f"{len(GOLDENS)} goldens agree with torch {torch.__version__}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
