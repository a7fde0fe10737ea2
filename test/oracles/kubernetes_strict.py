"""Holds the resources of a YAML file against Kubernetes' schemas; exits with 1 and the reason where one does not fit."""
import sys

import kubernetes_validate
import yaml

count = 0
with open(sys.argv[1]) as file:
    for resource in yaml.safe_load_all(file):
        try:
            kubernetes_validate.validate(resource, kubernetes_validate.latest_version(), strict=True)
        except Exception as error:
            print(error, file=sys.stderr)
            sys.exit(1)
        count += 1
print(f"{count} valid")
