"""Runs onnx's own checker with full shape inference over model files: check_onnx.py FILE...

One line a file: path, opset, IR version. Ends with 1 when a file does not pass, and says why.
"""
import sys

import onnx


def main(paths):
    failed = 0
    for path in paths:
        try:
            model = onnx.load(path)
            onnx.checker.check_model(model, full_check=True)
        except Exception as error:  # the checker, the shape inference and protobuf each have their own
            print(f"{path}: {error}", file=sys.stderr)
            failed += 1
            continue
        opsets = ", ".join(f"{entry.domain or 'ai.onnx'} {entry.version}" for entry in model.opset_import)
        print(f"{path}: opset {opsets}, IR {model.ir_version}")
    return 1 if failed or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
