"""Unpack the kernel proper from a bzImage: `vmlinux.py VMLINUZ VMLINUX`. It is in there as one compressed stream."""

import subprocess
import sys
from pathlib import Path

STREAMS = {b"\x28\xb5\x2f\xfd": ["zstd", "-dc"], b"\xfd7zXZ\x00": ["xz", "-dc"], b"\x1f\x8b\x08": ["gzip", "-dc"]}

packed = Path(sys.argv[1]).read_bytes()
for magic, unpack in STREAMS.items():
    start = packed.find(magic)
    while start >= 0:
        # What follows the stream is noise to the program, which then fails after having written all of it.
        kernel = subprocess.run(unpack, input=packed[start:], capture_output=True, check=False).stdout
        if kernel.startswith(b"\x7fELF"):
            Path(sys.argv[2]).write_bytes(kernel)
            sys.exit()
        start = packed.find(magic, start + 1)
sys.exit(f"vmlinux.py: no kernel found in {sys.argv[1]}")
