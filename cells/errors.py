"""What is wrong with a file, said once for every finding: where, which value, what would be right."""

from collections.abc import Iterable
from dataclasses import dataclass

SCREEN_LINES = 24
_SHOWN_CHARACTERS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, in one line.

    Attributes:
        file: The file as its reader knows it, for example ``cells/six_arm.toml``.
        where: Dotted path of the field, ``arms[2].base.x_m``; empty when the whole file is meant.
        value: The offending value as text (see `shown`); empty when there is none.
        message: What is wrong.
        allowed: What would be right; empty when the message says it all.
    """

    file: str
    where: str
    value: str
    message: str
    allowed: str

    def __str__(self) -> str:
        parts = [part for part in (self.file, self.where, self.value, self.message) if part]
        line = ": ".join(parts) + (f" (allowed: {self.allowed})" if self.allowed else "")
        # A file's own text must not break the line or drive the terminal.
        return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in line)


class CellError(Exception):
    """A cell, arm, joint model, recipe or order that cannot be used; holds every finding at once.

    Attributes:
        findings: All that is wrong, in the order of the file.
    """

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__(self.findings)

    def __str__(self) -> str:
        """One line for each finding, at most one screen."""
        lines = [str(finding) for finding in self.findings]
        if len(lines) > SCREEN_LINES:
            rest = len(lines) - (SCREEN_LINES - 1)
            lines = [*lines[: SCREEN_LINES - 1], f"and {rest} more"]
        return "\n".join(lines)


def shown(value: object) -> str:
    """The value as a finding prints it: its representation, shortened."""
    try:
        text = repr(value)
    except ValueError:  # an integer beyond Python's limit for conversion to decimal digits
        text = "a number too long to print"
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 3] + "..."
