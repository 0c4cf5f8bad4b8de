"""The result of a run as JUnit XML: one test case per cycle and one for the 95th percentile."""

from xml.etree import ElementTree

from controller.report.markup import printable
from controller.report.summary import RunSummary


def junit(summary: RunSummary) -> str:
    """A JUnit document; the time of a test case is the simulated cycle time.

    A single cycle above the target is told but fails nothing: the last case is the gate, with the verdict.
    """
    suite = ElementTree.Element(
        "testsuite",
        name=printable(summary.cell),
        tests=str(len(summary.cycle_times_s) + 1),
        failures=str(0 if summary.met else 1),
        errors="0",
        skipped="0",
        time=f"{sum(summary.cycle_times_s):.3f}",
    )
    for number, cycle in enumerate(summary.cycle_times_s, 1):
        case = _case(suite, "cycle", f"cycle {number}", cycle)
        if cycle > summary.target_s:
            over = ElementTree.SubElement(case, "system-out")
            over.text = (
                f"{cycle:.3f} s, {cycle - summary.target_s:.3f} s above the target of {summary.target_s:g} s"
            )
    gate = _case(
        suite, "target", f"95 % of cycles within {summary.target_s:g} s", summary.cycle_time_p95_s or 0.0
    )
    if not summary.met:
        failure = ElementTree.SubElement(gate, "failure", message=printable(summary.verdict))
        failure.text = "\n".join(summary.shortfalls)
    document = ElementTree.Element("testsuites")
    document.append(suite)
    ElementTree.indent(document)
    return ElementTree.tostring(document, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ElementTree.Element, group: str, name: str, seconds: float) -> ElementTree.Element:
    return ElementTree.SubElement(
        suite, "testcase", classname=f"jointcell.{group}", name=name, time=f"{seconds:.3f}"
    )
