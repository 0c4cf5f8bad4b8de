"""`jointcell arms`: the bundled arms, and arm files made from URDFs."""

from pathlib import Path
from typing import Annotated

import typer

from controller.console import complain, show
from controller.outputs import check_writable, reserved_stdout, say

_SEED = 0  # of the joint angles at which the file and the URDF are compared


def arms(
    from_urdf: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the arm file of a URDF instead.")
    ] = None,
    tip: Annotated[str | None, typer.Option(help="Link of the URDF whose frame is the flange.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="The arm file to write; standard output by default.")
    ] = None,
) -> None:
    """List the arms with their data and where it comes from, or import one from a URDF."""
    if from_urdf is None:
        from controller.listing import arms_table

        show(arms_table())
        return
    with reserved_stdout():
        import numpy as np

        from cells.arm_text import arm_text
        from cells.urdf import load_urdf

        found = load_urdf(from_urdf, tip)
        result = arm_text(found, from_urdf.name, np.random.default_rng(_SEED))
        if out is not None:
            check_writable(out, "--out")
            out.write_text(result.text, encoding="utf-8")
    if out is None:
        say(result.text)
    complain(f"{found.name}, {found.base} to {found.tip}: {result.kind}; agrees with the URDF within 1e-9 m.")
    for what in result.missing:
        complain(f"Missing: {what}.")
