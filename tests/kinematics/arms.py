"""Four arms with different conventions, from their makers' data."""

import numpy as np

from kinematics import Chain, Limits

DEG = np.pi / 180


def _arm(lengths, offsets, signs, low, high, speed):
    names = ("a1", "a2", "b", "c1", "c2", "c3", "c4")
    chain = Chain(
        **dict(zip(names, lengths, strict=True)),
        offsets=np.array(offsets) * DEG,
        signs=np.array(signs),
        q_min=np.array(low) * DEG,
        q_max=np.array(high) * DEG,
    )
    acceleration = np.array([900, 900, 900, 2250, 2250, 2250]) * DEG
    return chain, Limits(velocity=np.array(speed) * DEG, acceleration=acceleration, jerk=10 * acceleration)


ARMS = {
    "GP7": _arm(
        (0.040, -0.040, 0.0, 0.330, 0.445, 0.440, 0.080),
        (0, 0, -90, 0, 0, 180),
        (1, 1, -1, -1, -1, -1),
        (-170, -65, -70, -190, -135, -360),
        (170, 145, 190, 190, 135, 360),
        (375, 315, 410, 550, 550, 1000),
    ),
    "KR 6 R900-2": _arm(
        (0.025, -0.025, 0.0, 0.400, 0.455, 0.420, 0.090),
        (0, -90, 0, 0, 0, 0),
        (-1, 1, 1, -1, 1, -1),
        (-170, -190, -120, -185, -120, -350),
        (170, 45, 156, 185, 120, 350),
        (360, 300, 360, 450, 450, 540),
    ),
    "TX2-60L": _arm(
        (0.0, 0.0, 0.020, 0.375, 0.400, 0.450, 0.070),
        (0, 0, 0, 0, 0, 0),
        (1, 1, 1, 1, 1, 1),
        (-180, -127.5, -152.5, -270, -121, -270),
        (180, 127.5, 152.5, 270, 132.5, 270),
        (435, 385, 500, 995, 1065, 1445),
    ),
    "LR Mate 200iD/7L": _arm(
        (0.050, -0.035, 0.0, 0.330, 0.440, 0.420, 0.080),
        (0, 0, -90, 0, 0, 180),
        (1, 1, -1, -1, -1, -1),
        (-170, -100, -70, -190, -125, -360),
        (170, 145, 213, 190, 125, 360),
        (370, 310, 410, 550, 545, 1000),
    ),
}
