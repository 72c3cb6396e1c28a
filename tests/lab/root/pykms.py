"""In the lab's root only: picamera2 imports pykms for its preview on a screen, and the lab has no screen."""


class _Names:
    def __getattr__(self, name: str) -> str:
        return name


PixelFormat = _Names()
