"""What a run looked like: run.json, the HTML report with its charts, and short forms for terminal and CI."""

from controller.report.gantt import gantt
from controller.report.html import Origin, Picture, PlanView, Scope, write_report
from controller.report.junit import junit
from controller.report.step_summary import step_summary
from controller.report.summary import ArmRecord, EndOfLineValue, JointRecord, RunSummary, summarise
from controller.report.table import result_table
from controller.report.timeline import Span, Timeline
from controller.report.trend import trend

__all__ = (
    "ArmRecord",
    "EndOfLineValue",
    "JointRecord",
    "Origin",
    "Picture",
    "PlanView",
    "RunSummary",
    "Scope",
    "Span",
    "Timeline",
    "gantt",
    "junit",
    "result_table",
    "step_summary",
    "summarise",
    "trend",
    "write_report",
)
