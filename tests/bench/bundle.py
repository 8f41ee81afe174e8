"""How large the firmware is: on its way to a router, and in its slot."""

import gzip
import tarfile

from host_tools.release import bundle


def probe(_lab):
    path = bundle.build()
    with tarfile.open(path) as tar:
        sizes = {member.name: member.size for member in tar if member.isfile()}
    largest = sorted(sizes, key=sizes.get, reverse=True)[:10]
    content = path.read_bytes()
    return {
        "bundle": len(content) / 1024,
        "slot": sum(sizes.values()) / 1024,
        "details": {
            "files": len(sizes),
            "gzipped_kb": len(gzip.compress(content, 9, mtime=0)) / 1024,
            "largest_bytes": {name: sizes[name] for name in largest},
        },
    }
