"""Line coverage by module, from what `llvm-cov export -summary-only` says on standard input."""

import json
import sys

LAYERS = ("bytes", "packed", "rdb", "aof", "repair")

lines = {}
for file in json.load(sys.stdin)["data"][0]["files"]:
    _, found, path = file["filename"].rpartition("/src/")
    if found:
        count, covered = lines.get(path.split("/")[0], (0, 0))
        summary = file["summary"]["lines"]
        lines[path.split("/")[0]] = (count + summary["count"], covered + summary["covered"])
for layer, (count, covered) in sorted(lines.items()):
    print(f"{layer:12} {covered:6} of {count:6} lines {100 * covered / max(count, 1):5.1f} %")
count, covered = (sum(lines.get(layer, (0, 0))[which] for layer in LAYERS) for which in (0, 1))
print(f"{' '.join(LAYERS)}: {100 * covered / max(count, 1):.1f} %")
