"""What a frame of the synthetic door costs, against its frame interval at 15 frames a second."""

import statistics
import time
from typing import Any

from doorbell.scene import (
    Car,
    CloudShadow,
    CodecPulsing,
    ExposureHunting,
    Leaves,
    PorchLamp,
    Rain,
    Scene,
    Script,
    Visitor,
)

_FRAMES = 45
_BUDGET_MS = 1000 / 15

_HERE = Visitor(at=-9.0, stay_s=60)
_CASES = {
    "empty door, noise": Script(noise=1.2),
    "visitor at the mat": Script((_HERE,), noise=1.2),
    "night, lamp, visitor, car": Script((_HERE, PorchLamp(0), Car(-1)), night=True, noise=1.2),
    "everything at once": Script(
        (_HERE, Car(-1), Leaves(), Rain(), CloudShadow(), ExposureHunting(), CodecPulsing()), noise=1.2
    ),
}


def measure() -> list[dict[str, Any]]:
    """Median CPU milliseconds of one 1280x720 frame in each case; the bar is a sixth of a frame's interval."""
    rows = []
    for what, script in _CASES.items():
        scene = Scene(script=script)
        spent = []
        for k in range(2 * _FRAMES):
            before = time.process_time()
            scene.frame(k / 15)
            spent.append((time.process_time() - before) * 1000)
        # The first round draws each pose once; the second is what a running camera pays.
        ours = statistics.median(spent[_FRAMES:])
        rows.append({
            "what": f"scene frame 1280x720: {what}", "ours": round(ours, 2), "reference": round(_BUDGET_MS, 2),
            "ratio": round(ours / _BUDGET_MS, 3), "bar": 0.167, "unit": "ms CPU",
        })  # fmt: skip
    return rows
