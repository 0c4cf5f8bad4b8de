"""Text made safe for HTML, SVG and XML."""

import html
import re

# control characters, surrogates and non-characters: XML 1.0 cannot carry them, not even escaped
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def printable(value: object) -> str:
    """The text of a value, with every character that XML cannot carry replaced by U+FFFD."""
    return _NOT_XML.sub("\ufffd", str(value))


def escaped(value: object) -> str:
    """The text of a value for element content and quoted attributes."""
    return html.escape(printable(value), quote=True)
