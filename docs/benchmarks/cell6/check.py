# ruff: noqa: B905, RUF007 - runs on older versions of Python
"""Check a CELL6 solution.

Usage: python check.py INSTANCE.json SOLUTION.json

Needs nothing but Python 3.9. Prints every broken rule and exits with 1, or prints the cycle time and exits with 0.
The rules are those of README.md beside this file; the round is laid out several times over and looked at in the middle.
"""

import json
import sys


def check(instance, solution):
    """All broken rules of a solution, as sentences; [] when it is valid."""
    kinds, release, period = instance["kinds"], solution["release"], solution["round"]
    joints, index, margin = len(release), instance["index"], instance["margin"]
    names = [operation["name"] for operation in instance["operations"]]
    broken = []
    if [release.count(kind) for kind in range(len(kinds))] != [kind["count"] for kind in kinds]:
        return ["the release order does not hold the joints of the mix"]
    if len(solution["indices"]) != joints or len(solution["visits"]) != joints or period <= 0:
        return ["indices and visits: one entry for each joint; the round takes time"]
    if joints * solution["lower_bound"] > period:
        broken.append("the lower bound is above the cycle time")
    if abs(solution["cycle_time"] * joints - period) > 1e-6 * period:
        broken.append("the cycle time is not the round divided by its joints")

    def begins(cycle):
        copy, joint = divmod(cycle, joints)
        return solution["indices"][joint] + copy * period

    # Every visit of one round: what, which joint, where, when.
    visits = []
    for joint, rows in enumerate(solution["visits"]):
        if [row[0] for row in rows] != names:
            return [f"joint {joint} does not have every operation once, in the order of the instance"]
        for v, (name, arm, position, enter) in enumerate(rows):
            places = instance["operations"][v]["places"]
            if [arm, position] not in places:
                return [f"{name} of joint {joint} is at ({arm}, {position}), which is none of its places"]
            if [arm, position] != solution["visits"][0][v][1:3]:
                broken.append(f"{name} is not at the same place for joints 0 and {joint}")
            before, inside, after, start, end = kinds[release[joint]]["times"][v][
                places.index([arm, position])
            ]
            visit = {
                "name": name, "joint": joint, "arm": arm, "position": position, "pose_in": start, "pose_out": end,
                "start": enter - before, "enter": enter, "leave": enter + inside, "end": enter + inside + after,
            }  # fmt: skip
            visits.append(visit)
    of = {(visit["joint"], visit["name"]): visit for visit in visits}

    # The dial.
    if solution["indices"][0] != 0:
        broken.append("the first index does not start at 0")
    for cycle in range(joints):
        if begins(cycle + 1) < begins(cycle) + index:
            broken.append(f"index {cycle + 1} starts before index {cycle} is done")
    for visit in visits:
        if visit["position"] >= 0:
            opens = begins(visit["joint"] + visit["position"]) + index
            closes = begins(visit["joint"] + visit["position"] + 1)
            if not opens <= visit["enter"] <= visit["leave"] <= closes:
                broken.append(
                    f"{visit['name']} of joint {visit['joint']} is inside while its joint is not there"
                )

    # Enough copies of the round that its middle one is as crowded as all that follow.
    times = [visit[edge] for visit in visits for edge in ("start", "end")]
    reach = (max(times) - min(times)) // period + 2
    laid = [
        {**visit, **{edge: visit[edge] + copy * period for edge in ("start", "enter", "leave", "end")}}
        for copy in range(-reach - max(times) // period, reach - min(times) // period + 1)
        for visit in visits
    ]

    # Arms.
    for arm, travel in enumerate(instance["travel"]):
        own = sorted(
            (visit for visit in laid if visit["arm"] == arm), key=lambda visit: (visit["start"], visit["end"])
        )
        for one, two in zip(own, own[1:]):
            if (
                0 <= one["start"] < period
                and two["start"] < one["end"] + travel[one["pose_out"]][two["pose_in"]]
            ):
                broken.append(f"arm {arm} starts {two['name']} before it can be there from {one['name']}")

    # Nests, and arms that cross.
    crossing = {frozenset(map(tuple, pair)) for pair in instance["exclusions"]}
    inside = sorted((visit for visit in laid if visit["position"] >= 0), key=lambda visit: visit["enter"])
    longest = max((visit["leave"] - visit["enter"] for visit in inside), default=0) + margin
    for k, one in enumerate(inside):
        if not 0 <= one["enter"] < period:
            continue
        for two in inside[k + 1 :]:
            if two["enter"] >= one["enter"] + longest:
                break
            gap = None
            if one["position"] == two["position"]:
                gap = margin if one["arm"] != two["arm"] and -1 not in (one["arm"], two["arm"]) else 0
            elif frozenset([(one["arm"], one["position"]), (two["arm"], two["position"])]) in crossing:
                gap = 0
            if gap is not None and two["enter"] < one["leave"] + gap:
                broken.append(f"{one['name']} and {two['name']} are in each other's way")

    # Order of assembly, and buffers.
    for joint in range(joints):
        for a, b in instance["precedence"]:
            if of[joint, b]["enter"] < of[joint, a]["leave"]:
                broken.append(f"{b} of joint {joint} enters before {a} has left")
        for buffer, (process, offset) in zip(instance["buffers"], kinds[release[joint]]["buffers"]):
            loads, unload = [of[joint, name] for name in buffer["loads"]], of[joint, buffer["unload"]]

            def apart(one, two):
                return margin if one["arm"] != two["arm"] else 0

            for one, two in zip(loads, loads[1:]):
                if two["enter"] < one["leave"] + apart(one, two):
                    broken.append(f"{two['name']} of joint {joint} enters {buffer['name']} too early")
            if unload["start"] < loads[-1]["leave"] + max(process, apart(loads[-1], unload)):
                broken.append(f"{unload['name']} of joint {joint} takes from {buffer['name']} too early")
            copy, following = divmod(joint + 1, joints)
            load = of[following, buffer["loads"][0]]
            if load["enter"] + copy * period < unload["start"] + offset + apart(unload, load):
                broken.append(f"{buffer['name']} is loaded for joint {joint + 1} before it is free")
    return broken


def main(arguments):
    """Read, check, print."""
    if len(arguments) != 2:
        print(__doc__.splitlines()[2], file=sys.stderr)
        return 2
    documents = []
    for name in arguments:
        with open(name, encoding="utf-8") as file:
            documents.append(json.load(file))
    instance, solution = documents
    broken = check(instance, solution)
    for sentence in broken:
        print(sentence)
    if not broken:
        gap = solution["cycle_time"] / solution["lower_bound"] - 1
        print(
            f"{instance['name']}: valid, cycle time {solution['cycle_time']:g}, gap {gap:.2%} to the stated bound"
        )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
