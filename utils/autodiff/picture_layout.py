"""Where the boxes of a picture go: in rows along the arrows, few crossings, within a page."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from utils.autodiff.picture import Node, Picture
from utils.plotting.figures import WIDTH

# In a crowded row constants and variables make way: the main line stays straight.
_STIFF = {"constant": 1.0, "variable": 2.0, "bend": 6.0}


_PULL = {"constant": 1, "variable": 2}


def _layers(picture: Picture, most: int) -> list[list[Node]]:
    """Put each node below all that lead to it, at most `most` in a row, sources near their use."""
    into: dict[int, list[Node]] = {id(n): [] for n in picture.nodes}
    out: dict[int, list[Node]] = {id(n): [] for n in picture.nodes}
    for edge in picture.edges:
        into[id(edge.end)].append(edge.start)
        out[id(edge.start)].append(edge.end)
    waiting = {id(n): len(into[id(n)]) for n in picture.nodes}
    ready = [n for n in picture.nodes if not waiting[id(n)]]
    order: list[Node] = []
    while ready:
        node = ready.pop(0)
        order.append(node)
        node.layer = max((s.layer + 1 for s in into[id(node)]), default=0)
        for end in out[id(node)]:
            waiting[id(end)] -= 1
            if not waiting[id(end)]:
                ready.append(end)
    for node in reversed(order):
        if not into[id(node)] and out[id(node)] and node.kind != "input":
            node.layer = max(node.layer, min(e.layer for e in out[id(node)]) - 1)
    taken: Counter[int] = Counter()
    for node in sorted(order, key=lambda n: n.layer):
        lowest = max((s.layer + 1 for s in into[id(node)]), default=node.layer)
        node.layer = max(node.layer, lowest)
        while taken[node.layer] >= most:
            node.layer += 1
        taken[node.layer] += 1
    rows: list[list[Node]] = [[] for _ in range(max(taken, default=0) + 1)]
    for node in order:
        rows[node.layer].append(node)
    return [row for row in rows if row]


class Bend(Node):
    """A place where an arrow passes a row, as deep as the row's boxes: it goes straight there."""


def _with_bends(
    picture: Picture, rows: list[list[Node]]
) -> tuple[list[list[Node]], dict[int, list[Node]]]:
    places: list[list[Node]] = [list(row) for row in rows]
    number = {id(n): i for i, row in enumerate(rows) for n in row}
    routes: dict[int, list[Node]] = {}
    for edge in picture.edges:
        first, last = number[id(edge.start)], number[id(edge.end)]
        route = [edge.start]
        for i in range(first + 1, last):
            bend = Bend("bend", "")
            places[i].append(bend)
            route.append(bend)
        routes[id(edge)] = [*route, edge.end]
    return places, routes


def _order(places: list[list[Node]], routes: dict[int, list[Node]]) -> None:
    """Sweep up and down, ordering each row by the mean place of its neighbours (barycentre)."""
    above: dict[int, list[Node]] = {}
    below: dict[int, list[Node]] = {}
    for route in routes.values():
        for one, two in itertools.pairwise(route):
            above.setdefault(id(two), []).append(one)
            below.setdefault(id(one), []).append(two)
    for sweep in range(12):
        down = sweep % 2 == 0
        neighbours = above if down else below
        for row in places if down else reversed(places):
            at = {id(n): i / max(1, len(r) - 1) for r in places for i, n in enumerate(r)}

            def mean(node: Node, at: dict[int, float] = at, near: Any = neighbours) -> float:
                found = [at[id(n)] for n in near.get(id(node), [])]
                return sum(found) / len(found) if found else at[id(node)]

            row.sort(key=mean)


def _across(
    places: list[list[Node]], routes: dict[int, list[Node]], widths: dict[int, float], gap: float
) -> dict[int, float]:
    """Return the centre of each node along its row: near its neighbours, without overlap."""
    near: dict[int, list[Node]] = {}
    for route in routes.values():
        for one, two in itertools.pairwise(route):
            pull = _PULL.get(route[0].kind, 12)
            near.setdefault(id(one), []).extend([two] * pull)
            near.setdefault(id(two), []).extend([one] * pull)
    centre: dict[int, float] = {}
    for row in places:
        x = 0.0
        total = sum(widths[id(n)] + gap for n in row) - gap
        for node in row:
            centre[id(node)] = x + widths[id(node)] / 2 - total / 2
            x += widths[id(node)] + gap
    for sweep in range(16):
        for row in places if sweep % 2 else reversed(places):
            wish = []
            for node in row:
                found = [centre[id(n)] for n in near.get(id(node), [])]
                wish.append(sum(found) / len(found) if found else centre[id(node)])
            apart = [0.0]
            for one, two in itertools.pairwise(row):
                apart.append(apart[-1] + (widths[id(one)] + widths[id(two)]) / 2 + gap)
            weights = [_STIFF.get(n.kind, 30.0) for n in row]
            level = _increasing([w - a for w, a in zip(wish, apart, strict=True)], weights)
            for node, x, a in zip(row, level, apart, strict=True):
                centre[id(node)] = x + a
    low = min(centre[id(n)] - widths[id(n)] / 2 for row in places for n in row)
    return {key: x - low for key, x in centre.items()}


def _increasing(wishes: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Return the increasing numbers nearest to the wishes (weighted least squares; pool adjacent
    violators, see Wikipedia, "Isotonic regression")."""
    blocks: list[list[float]] = []  # mean, weight, length
    for wish, weight in zip(wishes, weights, strict=True):
        blocks.append([wish, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            mean, more, length = blocks.pop()
            last = blocks[-1]
            last[0] = (last[0] * last[1] + mean * more) / (last[1] + more)
            last[1] += more
            last[2] += length
    return [mean for mean, _, length in blocks for _ in range(int(length))]


@dataclass
class Layout:
    places: list[list[Node]]  # row by row, or column by column where it runs sideways
    routes: dict[int, list[Node]]  # the nodes and bends that an edge passes
    centre: dict[int, tuple[float, float]]
    wide: float
    tall: float


def layout_of(
    picture: Picture,
    widths: dict[int, float],
    heights: dict[int, float],
    *,
    sideways: bool,
    most: int,
) -> Layout:
    places, routes = _with_bends(picture, _layers(picture, most))
    broad, thick = (heights, widths) if sideways else (widths, heights)
    for row in places:
        depth = max(thick[id(n)] for n in row if not isinstance(n, Bend))
        for node in row:
            if isinstance(node, Bend):
                broad[id(node)], thick[id(node)] = 6.0, depth
    _order(places, routes)
    across = _across(places, routes, broad, 16.0 if sideways else 14.0)
    roomy = any(edge.kind == "stopped" for edge in picture.edges)  # for the mark on the arrow
    centre, at, gap = {}, 0.0, 40 if sideways else 34 if roomy else 24
    for row in places:
        size = max(thick[id(n)] for n in row)
        for node in row:
            place = (at + size / 2, across[id(node)])
            centre[id(node)] = place if sideways else (place[1], place[0])
        at += size + gap
    span = at - gap
    breadth = max(across[id(n)] + broad[id(n)] / 2 for row in places for n in row)
    wide, tall = (span, breadth) if sideways else (breadth, span)
    return Layout(places, routes, centre, wide, tall)


def folded(
    places: list[list[Node]],
    centre: dict[int, tuple[float, float]],
    heights: dict[int, float],
    wide: float,
) -> tuple[dict[int, tuple[int, float]], float, float]:
    """Cut a tall picture into columns side by side, changing `centre`.

    Returns the column of each node with the place of the gap after it, and the new size.
    """
    columns = max(1, min(4, int((WIDTH - 24 + 26) // (wide + 26)), -(-len(places) // 6)))
    if columns == 1:
        bottom = max(centre[id(n)][1] + heights[id(n)] / 2 for row in places for n in row)
        return {}, wide, bottom
    rows = -(-len(places) // columns)
    turns: dict[int, tuple[int, float]] = {}
    tall = 0.0
    for column in range(columns):
        chunk = places[column * rows : (column + 1) * rows]
        if not chunk:
            continue
        top = min(centre[id(n)][1] - heights[id(n)] / 2 for row in chunk for n in row)
        for row in chunk:
            for node in row:
                x, y = centre[id(node)]
                centre[id(node)] = (x + column * (wide + 26), y - top)
                turns[id(node)] = (column, column * (wide + 26) + wide + 13)
                tall = max(tall, y - top + heights[id(node)] / 2)
    return turns, columns * (wide + 26) - 26, tall
