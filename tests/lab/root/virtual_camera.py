"""In the lab's root only: what the real picamera2 lacks for libcamera's virtual camera, which is no sensor of a Pi.

Two differences are bridged, and nothing of picamera2 or libcamera is imitated: the virtual camera has no raw stream
from which picamera2 would read its modes, and it wants NV12's two planes named one by one in each buffer.
"""

import mmap
import os

import libcamera
from picamera2.allocators import DmaAllocator


class TwoPlanes(DmaAllocator):
    """Buffers whose luma and chroma are two planes of one piece of memory."""

    def allocate(self, configuration, use_case):
        self.cleanup()
        self.libcamera_fds = []
        for descriptor in self.open_fds:
            os.close(descriptor)
        self.open_fds, self.frame_buffers = [], {}
        for stream in configuration:
            made = [self._buffer(f"lab-{number}", stream) for number in range(stream.buffer_count)]
            self.frame_buffers[stream.stream] = made

    def _buffer(self, name, stream):
        descriptor = self.dmaHeap.alloc(name, stream.frame_size).get()
        self.open_fds.append(descriptor)
        luma_bytes = stream.stride * stream.size.height
        luma, chroma = libcamera.FrameBuffer.Plane(), libcamera.FrameBuffer.Plane()
        luma.fd, luma.offset, luma.length = descriptor, 0, luma_bytes
        chroma.fd, chroma.offset, chroma.length = descriptor, luma_bytes, stream.frame_size - luma_bytes
        self.libcamera_fds.append(luma.fd)
        self.mapped_buffers_used[luma.fd] = False
        buffer = libcamera.FrameBuffer([luma, chroma])
        self.mapped_buffers[buffer] = mmap.mmap(descriptor, stream.frame_size)
        return buffer


def bridged(picamera2):
    """The class *picamera2* as it is, with the two bridges."""

    class Picamera2(picamera2):
        def __init__(self, *words, **named):
            named.setdefault("allocator", TwoPlanes())
            super().__init__(*words, **named)

        def _get_raw_modes(self):
            roles = [libcamera.StreamRole.Viewfinder]
            formats = self.camera.generate_configuration(roles).at(0).formats
            return [
                {"format": str(form), "size": (size.width, size.height)}
                for form in formats.pixel_formats
                for size in formats.sizes(form)
            ]

    return Picamera2
