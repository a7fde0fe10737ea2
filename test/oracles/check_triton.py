"""Reads config.pbtxt files by Triton's own published schema and prints what it understood, one JSON object a line.

python3 check_triton.py CONFIG...   (needs tritonclient and protobuf; no server, no gRPC)
"""
import importlib.util
import json
import os
import sys

import tritonclient
from google.protobuf import json_format, text_format


def model_config():
    """The compiled model_config.proto of the client, without the rest of the client, which wants gRPC."""
    path = os.path.join(list(tritonclient.__path__)[0], "grpc", "model_config_pb2.py")
    spec = importlib.util.spec_from_file_location("model_config_pb2", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main():
    schema = model_config()
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            config = text_format.Parse(file.read(), schema.ModelConfig())
        print(json.dumps(json_format.MessageToDict(config, preserving_proto_field_name=True)))


main()
