"""Times the training step of test/oracles/reference.py in eager PyTorch, for the benches that set ours beside it.

Prints one JSON line: torch version, device and threads, milliseconds of each step, their median and least. Images are
random; what is timed is one whole step (generators, discriminators, both Adams, a pool of 50), images already in the
device's memory.
"""
import argparse
import json
import pathlib
import statistics
import sys
import time

import torch

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "test" / "oracles"))
import reference  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=64, help="height and width of the images")
    parser.add_argument("--ngf", type=int, default=32, help="width of the generators")
    parser.add_argument("--blocks", type=int, default=6, help="residual blocks of the generators")
    parser.add_argument("--ndf", type=int, default=64, help="width of the discriminators")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--steps", type=int, default=10, help="steps timed, after two that are not")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--channels-last", action="store_true", help="NHWC memory layout for weights and images")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--tf32", action="store_true", help="let the GPU round factors to 10 bits, as onnxruntime does")
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        sys.exit(f"torch {torch.__version__} finds no CUDA device")

    torch.set_num_threads(options.threads)
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = options.tf32
    torch.backends.cuda.matmul.allow_tf32 = options.tf32
    torch.manual_seed(0)
    layout = torch.channels_last if options.channels_last else torch.contiguous_format
    nets = reference.build(options.ngf, options.blocks, options.ndf)
    for net in nets.values():
        reference.initialise(net).to(options.device, memory_format=layout)
    model = reference.CycleGan(nets, pool_a=reference.ImagePool(50), pool_b=reference.ImagePool(50))
    shape = (2, options.batch, 3, options.size, options.size)
    images = (torch.rand(shape) * 2 - 1).to(options.device)
    real_a, real_b = (domain.contiguous(memory_format=layout) for domain in images)

    times = []
    for _ in range(options.steps + 2):
        start = time.perf_counter()
        model.step(real_a, real_b)
        if options.device == "cuda":
            torch.cuda.synchronize()
        times.append((time.perf_counter() - start) * 1000)
    timed = [round(value, 2) for value in times[2:]]
    print(
        json.dumps(
            {
                "torch": torch.__version__,
                "device": torch.cuda.get_device_name() if options.device == "cuda" else "cpu",
                "tf32": options.tf32,
                "threads": torch.get_num_threads(),
                "channelsLast": options.channels_last,
                "medianMs": round(statistics.median(timed), 2),
                "minMs": min(timed),
                "ms": timed,
            }
        )
    )


if __name__ == "__main__":
    main()
