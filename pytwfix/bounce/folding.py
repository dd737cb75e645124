"""Long lines of a notice, folded where there is a blank. Pure; nothing raises."""

from __future__ import annotations

WIDTH = 79
INDENT = "    "


def folded(text: str) -> str:
    """`text` in lines of at most 79 characters where its words allow it, all but the first indented, none of them with
    blanks at its end."""
    text = text.rstrip(" ")
    if len(text) <= WIDTH:
        return text
    lines: list[str] = []
    room = WIDTH
    while len(text) > room:
        cut = text.rfind(" ", 0, room + 1)
        if cut <= 0:
            cut = text.find(" ", room)
            if cut < 0:
                break
        lines.append(text[:cut].rstrip(" "))
        text = text[cut:].lstrip(" ")
        room = WIDTH - len(INDENT)
    if text:
        lines.append(text)
    return ("\r\n" + INDENT).join(lines)
