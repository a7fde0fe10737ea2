"""What TensorBoard's own reader finds below a folder of event files, as JSON: check_tensorboard.py FOLDER

{"scalars": {tag: [[step, wall time, value], ...]}, "images": {tag: [[step, width, height, sha256 of the bytes], ...]}}
"""
import hashlib
import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def main(folder):
    # 0: keep all, where TensorBoard would show a sample.
    events = EventAccumulator(folder, size_guidance={"scalars": 0, "images": 0})
    events.Reload()
    tags = events.Tags()
    scalars = {tag: [[one.step, one.wall_time, one.value] for one in events.Scalars(tag)] for tag in tags["scalars"]}
    images = {
        tag: [
            [one.step, one.width, one.height, hashlib.sha256(one.encoded_image_string).hexdigest()]
            for one in events.Images(tag)
        ]
        for tag in tags["images"]
    }
    json.dump({"scalars": scalars, "images": images}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
