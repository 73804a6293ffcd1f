"""The stand-in for Fashion-MNIST: ten kinds of garments, drawn by code from a fixed seed.

A garment is a handful of trapezoids. Cut into rows, it becomes a few spans (left edge, right
edge) a row: two sleeves and a body, say. Each class has some hundred outlines, drawn once from
random measures; an item takes one, moves, scales and slants its edges, and only then are pixels
made: a pixel's brightness is how much of it the spans cover, times the cloth's tone there.
Everything after the outlines is integer arithmetic on PCG64's raw numbers, so that every
machine draws the same images.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

SEED = 2017  # the year of Fashion-MNIST
SIZES = {"train": 60_000, "test": 10_000}
OUTLINES = 128  # for each class
ROWS = 112  # of an outline: four for each row of pixels
UNIT = 64  # edges are whole numbers of 1/64 pixel
BLOCK = 500  # items drawn at once: few enough for the processor's cache
SLOTS = 5  # four spans of cloth, then one of shadow: an opening, a seam, a neckline

Piece = tuple[int, list[tuple[float, float, float]]]  # slot, then (row, left edge, right edge)...
Draw = Callable[[float, float], float]  # a random measure between two bounds
DrawEach = Callable[[int, int], np.ndarray]  # a whole number, bounds included, for each item

BODY, LEFT, RIGHT, EXTRA, SHADOW = range(SLOTS)


def _mirrored(left: list[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
    return [(row, -b, -a) for row, a, b in left]


def _sleeves(shoulder: float, chest: float, end: float, reach: float, cuff: float) -> list[Piece]:
    """Two sleeves from the shoulders (row 5) to row ``end``, ``reach`` from the middle there."""
    armpit = 10.0
    slope = (reach - chest - 0.6) / max(end - armpit, 0.5)
    left = [
        (4.6, -shoulder + 0.5, -shoulder + 2),
        (6.0, -shoulder - 1.2, -shoulder + 2),
        (armpit, -(chest + 0.6 + cuff), -chest + 1),
        (armpit + 0.3, -(chest + 0.6 + cuff), -chest - 0.5),
        (end, -(chest + 0.6 + cuff + slope * (end - armpit)), -reach),
    ]
    return [(LEFT, left), (RIGHT, _mirrored(left))]


def _top(
    draw: Draw, *, end: float, chest: float, hem: float, length: float, cuff: float
) -> list[Piece]:
    shoulder = draw(5.0, 6.2)
    reach = chest + draw(1.0, 3.0)
    body = [
        (3.4, -3.4, 3.4),
        (5.2, -shoulder, shoulder),
        (10, -chest, chest),
        (length, -hem, hem),
    ]
    return [(BODY, body), *_sleeves(shoulder, chest, end, reach, cuff)]


def _t_shirt(draw: Draw) -> list[Piece]:
    chest = draw(5.6, 7.0)
    neckline_and_print = [(3.0, -2.4, 2.4), (draw(4.6, 6.5), -0.8, 0.8)]
    if draw(0, 1) < 0.3:
        width, first = draw(1.5, 4), draw(10, 13)
        neckline_and_print += [
            (first, 0, 0),
            (first + 0.1, -width, width),
            (first + draw(2, 5), -width, width),
        ]
    left_sleeve = [
        (4.4, -5.0, -3.0),
        (5.2, -7.2, -3.0),
        (9.0, -chest - 4.6, -chest + 1),
        (9.6, -chest - 4.4, -chest - 0.4),
        (draw(10.4, 12.5), -chest - 2.8, -chest - 1.2),
    ]
    body = [(3.4, -3.6, 3.6), (5.2, -6.0, 6.0), (10, -chest, chest), (draw(22, 25), -chest, chest)]
    return [
        (BODY, body),
        (LEFT, left_sleeve),
        (RIGHT, _mirrored(left_sleeve)),
        (SHADOW, neckline_and_print),
    ]


def _trouser(draw: Draw) -> list[Piece]:
    waist, hip, knee = draw(3.2, 4.6), draw(4.6, 6.0), draw(3.6, 5.4)
    ankle, crotch, gap = knee + draw(-0.6, 0.9), draw(8, 11), draw(0.2, 1.4)
    left = [
        (1.5, -waist, 0),
        (6, -hip, 0),
        (crotch, -hip, -0.1),
        (16, -knee, -gap),
        (26.5, -ankle, -gap - draw(0, 0.6)),
    ]
    return [
        (LEFT, left),
        (RIGHT, _mirrored(left)),
        (SHADOW, [(2.6, -waist, waist), (3.3, -waist, waist)]),
    ]


def _pullover(draw: Draw) -> list[Piece]:
    chest = draw(5.4, 6.6)
    pieces = _top(
        draw,
        end=draw(20, 23.5),
        chest=chest,
        hem=chest + draw(-0.4, 0.5),
        length=draw(22, 25),
        cuff=draw(2.2, 3.2),
    )
    return [*pieces, (SHADOW, [(3.0, -2.4, 2.4), (draw(4.2, 5.2), -1.4, 1.4)])]


def _dress(draw: Draw) -> list[Piece]:
    shoulder, chest, waist, hem = draw(2.6, 4.4), draw(3.2, 4.8), draw(2.6, 4.2), draw(4.4, 8.0)
    body = [
        (1.5, -shoulder, shoulder),
        (7, -chest, chest),
        (draw(10.5, 13), -waist, waist),
        (draw(24.5, 27), -hem, hem),
    ]
    pieces = [(BODY, body), (SHADOW, [(1.2, -shoulder + 1, shoulder - 1), (draw(3, 5), -0.5, 0.5)])]
    if draw(0, 1) < 0.3:
        end = draw(6, 9)
        left = [
            (1.8, -shoulder - 0.5, -2.5),
            (end - 1, -chest - 2.6, -2.5),
            (end, -chest - 2, -2.5),
        ]
        pieces += [(LEFT, left), (RIGHT, _mirrored(left))]
    return pieces


def _coat(draw: Draw) -> list[Piece]:
    chest = draw(5.4, 6.6)
    pieces = _top(
        draw,
        end=draw(20, 23.5),
        chest=chest,
        hem=chest + draw(0, 1.2),
        length=draw(24, 27),
        cuff=draw(2.2, 3.2),
    )
    width = draw(0.3, 0.8)
    return [
        *pieces,
        (
            SHADOW,
            [(3.0, -2.2, 2.2), (draw(8, 12), -width / 2, width / 2), (27, -width / 2, width / 2)],
        ),
    ]


def _sandal(draw: Draw) -> list[Piece]:
    top, heel, thick = draw(8, 12), draw(2.2, 6.5), draw(1.1, 2.0)
    high, low = 21 - heel - thick, 21 - thick  # of the sole's upper side, at the heel and the toes
    instep = draw(-5, 0)
    strap_and_sole = [
        (top, 5.5, 12.0),
        (top + 1.2, 5.5, 12),
        (top + 1.3, 10.2, 12),
        (high, 10.2, 12),
        (21 - heel, 12 - 14 * thick / heel, 12),
        (low, -2, 12 - 14 * (heel - thick) / heel),
        (low + 0.1, -13, 12 - 14 * (heel - thick) / heel),
        (21.2, -13, -2),
    ]
    toes = [(draw(14.5, 17), -7.4, -4.2), (low + 0.5, -11.4, -6.6)]
    t_strap = [(top + 0.5, 5.5, 7.5), (low + 0.3, instep - 2, instep + 0.6)]
    stiletto = [(21 - heel, 9.6, 12.0), (22.4, 10.4, 12)]
    if draw(0, 1) < 0.4:
        toes.insert(0, (top + 1, -0.5, 1.5))
    return [(BODY, strap_and_sole), (LEFT, toes), (RIGHT, t_strap), (EXTRA, stiletto)]


def _shirt(draw: Draw) -> list[Piece]:
    chest = draw(5.4, 6.8)
    pieces = _top(
        draw,
        end=draw(12, 23.5),
        chest=chest,
        hem=chest + draw(-0.3, 0.8),
        length=draw(22.5, 26),
        cuff=draw(2.2, 3.4),
    )
    width = draw(0.15, 0.5)
    return [
        *pieces,
        (
            SHADOW,
            [
                (3.0, -2.0, 2.0),
                (draw(5.5, 8), -width / 2, width / 2),
                (draw(12, 25), -width / 2, width / 2),
            ],
        ),
    ]


def _sneaker(draw: Draw) -> list[Piece]:
    top, toe = draw(6.5, 12), draw(2.6, 4.6)
    collar = top + draw(1.2, 3)
    body = [
        (top, 8.6, 11.0),
        (collar, 6.5, 11.4),
        (collar + 0.3, 0, 11.5),
        (20 - toe, -6, 12),
        (20 - toe / 2, -11, 12),
        (20, -13, 12.5),
        (22, -13, 12.5),
    ]
    tongue = [(top + draw(-0.8, 0.4), 0.4, 3.4), (collar + 1, -1, 5)]
    laces_and_sole = [
        (collar + 0.8, 1.0, 2.6),
        (19 - toe, -5, -3),
        (19.1 - toe, 0, 0),
        (19.4, 0, 0),
        (19.5, -13, 13),
        (20.2, -13, 13),
    ]
    return [(BODY, body), (LEFT, tongue), (SHADOW, laces_and_sole)]


def _bag(draw: Draw) -> list[Piece]:
    top, bottom, width, flare = draw(9, 13), draw(22, 26), draw(9, 12), draw(-1, 1.5)
    grip, apex, strap = draw(3.5, 7), draw(2, 6), draw(0.8, 1.6)
    left = [
        (apex, -grip * 0.4, 0),
        (apex + strap, -grip * 0.75, 0),
        (apex + strap + 0.1, -grip * 0.75, -grip * 0.75 + strap + 0.5),
        (apex + 3, -grip, -grip + strap),
        (top + 0.5, -grip, -grip + strap),
    ]
    flap = top + draw(2, 6)
    return [
        (BODY, [(top, -width, width), (bottom, -width - flare, width + flare)]),
        (LEFT, left),
        (RIGHT, _mirrored(left)),
        (SHADOW, [(flap, -width, width), (flap + 0.6, -width, width)]),
    ]


def _ankle_boot(draw: Draw) -> list[Piece]:
    top, ankle, heel = draw(2.5, 9.5), draw(0.0, 2.5), draw(0.3, 2.6)
    body = [
        (top, ankle - 0.5, 11.0),
        (13, ankle, 10.6),
        (16, -4, 11),
        (18, -10, 11.6),
        (20, -12.5, 12),
        (21.5, -12.5, 12),
        (21.6, 12 - 7, 12),
        (21.6 + heel, 12 - 6, 11.6),
    ]
    sole = [(21.5, -12.5, -1.0), (21.5 + min(heel, 1.2), -12, -2)]
    return [(BODY, body), (LEFT, sole), (SHADOW, [(20.3, -13, 13), (20.9, -13, 13)])]


GARMENTS = (
    _t_shirt,
    _trouser,
    _pullover,
    _dress,
    _coat,
    _sandal,
    _shirt,
    _sneaker,
    _bag,
    _ankle_boot,
)
# Some tops are cut like another kind: what a class's label is then drawn as, one of two.
LOOK_ALIKES = np.array([[6, 1, 4, 3, 2, 5, 0, 7, 8, 9], [6, 1, 6, 3, 6, 5, 2, 9, 8, 7]])
LOOK_ALIKES_IN_1000 = 150


def draw_stand_in(part: str, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first ``size`` items of ``part``, "train" or "test".

    Labels are uint8 (size,), images uint8 (size, 28, 28). A smaller size gives the same first
    items, sooner. Item 0 is an ankle boot (label 9), as it is in Fashion-MNIST.
    """
    labels = np.repeat(np.arange(10, dtype=np.uint8), SIZES[part] // 10)
    labels = labels[np.argsort(_stream(part, 0).random_raw(len(labels)), kind="stable")]
    first_boot = int(np.argmax(labels == 9))
    labels[[0, first_boot]] = labels[[first_boot, 0]]
    outlines = _outlines()
    images = np.empty((size, 28, 28), np.uint8)
    for start in range(0, size, BLOCK):
        block = labels[start : start + BLOCK]
        drawn = _draw(block, outlines, _stream(part, 1 + start // BLOCK))
        images[start : start + BLOCK] = drawn[: size - start]
    return labels[:size], images


def _stream(part: str, block: int) -> np.random.PCG64:
    """Return random numbers of their own for the labels (0), a block (from 1) or the outlines."""
    return np.random.PCG64([SEED, list(SIZES).index(part), block])


def _outlines() -> np.ndarray:
    """Return the edges of every outline: int16 (10 * OUTLINES, ROWS, SLOTS, 2), in 1/64 pixel."""
    numbers = iter(_stream("train", 1_000_000).random_raw(10 * OUTLINES * 20).tolist())

    def draw(low: float, high: float) -> float:
        return low + (high - low) * (next(numbers) / 2**64)

    edges = np.zeros((10 * OUTLINES, ROWS, SLOTS, 2))
    rows = (np.arange(ROWS) + 0.5) * (28 / ROWS)
    for index in range(10 * OUTLINES):
        for slot, corners in GARMENTS[index // OUTLINES](draw):
            at, left, right = zip(*corners, strict=True)
            inside = (rows >= at[0]) & (rows < at[-1])
            edges[index, inside, slot, 0] = np.interp(rows[inside], at, left)
            edges[index, inside, slot, 1] = np.interp(rows[inside], at, right)
    return np.round(edges * UNIT).astype(np.int16)


def _draw(labels: np.ndarray, outlines: np.ndarray, stream: np.random.PCG64) -> np.ndarray:
    """Return one image, uint8 (28, 28), for each label; the numbers come from ``stream``."""
    count = len(labels)
    numbers = iter(stream.random_raw(8 * count).astype("<u8").view("<u2").reshape(32, count))
    noise = stream.random_raw(98 * count).astype("<u8").view(np.int8).reshape(count, 28, 28)

    def draw(low: int, high: int) -> np.ndarray:
        return (low + (next(numbers).astype(np.int32) * (high - low + 1) >> 16)).astype(np.int16)

    swapped = draw(0, 999) < LOOK_ALIKES_IN_1000
    kind = np.where(swapped, LOOK_ALIKES[draw(0, 1), labels], labels)
    edges = _place(outlines, kind * OUTLINES + draw(0, OUTLINES - 1), draw)
    cloth = np.minimum(sum(_cover(edges, slot) for slot in (BODY, LEFT, RIGHT, EXTRA)), UNIT)
    tone = _tone(draw) + (noise * draw(2, 26)[:, None, None] >> 7)
    tone -= _cover(edges, SHADOW) * draw(30, 130)[:, None, None] >> 6
    return (tone.clip(0, 255) * cloth >> 6).astype(np.uint8)


def _place(outlines: np.ndarray, chosen: np.ndarray, draw: DrawEach) -> np.ndarray:
    """Return the chosen outlines, each at a size, slant and place of its own.

    The result is int16 (n, 28, SLOTS, 2): left and right edges in each row of pixels, in 1/64
    pixel from the image's left side; where there is no span both are equal.
    """
    tall, wide = draw(215, 275)[:, None], draw(220, 280)[:, None, None, None]  # in 1/256
    down, slant, along = draw(-5, 5)[:, None], draw(-5, 5)[:, None], draw(-UNIT, UNIT)[:, None]
    row = 4 * np.arange(28) + 2 - ROWS // 2
    source = (row * tall >> 8) + ROWS // 2 + down
    edges = outlines[chosen[:, None], source.clip(0, ROWS - 1)].astype(np.int32) * wide >> 8
    shift = 14 * UNIT + along + (slant * row >> 2)
    return (edges + shift[:, :, None, None]).astype(np.int16)


def _cover(edges: np.ndarray, slot: int) -> np.ndarray:
    """Return how much of each pixel the spans of ``slot`` cover: int16 (n, 28, 28), 0 to 64."""
    pixel = UNIT * np.arange(28, dtype=np.int16)
    left, right = edges[:, :, slot, :1], edges[:, :, slot, 1:]
    return (right - pixel).clip(0, UNIT) - (left - pixel).clip(0, UNIT)


def _tone(draw: DrawEach) -> np.ndarray:
    """Return the cloth's tones: int16 (n, 28, 28), about 0 to 255.

    Plain, or (two in five) striped along or across, and a little lighter towards one side.
    """
    tone, depth, across = (
        draw(70, 235)[:, None],
        draw(-60, 40)[:, None].clip(0),
        draw(0, 1)[:, None],
    )
    period, phase = draw(2, 7)[:, None], draw(0, 7)[:, None]
    at = np.arange(28, dtype=np.int16)
    stripes = depth * ((at + phase) % period < period // 2)
    rows = tone - stripes * across
    columns = (draw(-3, 3)[:, None] * (at - 14) >> 1) - stripes * (1 - across)
    return rows[:, :, None] + columns[:, None, :]
