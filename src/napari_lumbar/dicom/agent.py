"""Whether words tell that a contrast agent was given. Pure."""

from __future__ import annotations

import re

#: Names of the agent, and of giving it, in the languages of scanners: "km" is German, "mdc" Italian, "civ"
#: French.
_AGENT = (
    r"(?:(?:gad|contrast|kontrast|inj)[a-z]*|enh(?:anced|ancement)?(?![a-z])|(?:gd|km|ce|mdc|civ)(?![a-z]))"
)
#: The same in Chinese, Japanese and Korean, where it is followed by "before" or preceded by "no".
_WRITTEN = "(?:造影|增强|增強|増強|조영)"
#: "vor KM", "w/o contrast", "pre-Gd": the agent is named because it was not given.
_WITHOUT = re.compile(
    r"(?<![a-z])(?:pre|before|vor|ohne|without|w[/.]?o(?:ut)?|non?|sans|senza|sin)[ ._/(-]*"
    rf"(?:i\.?v\.?[ _-]*)?(?:{_AGENT}[ _-]*)+"
    rf"|[非无無未]{_WRITTEN}|{_WRITTEN}\s*[前전]"
)
#: "c+", "+c" and "w/c" stand for the agent only with what stands beside them; a C alone may be a region.
_WITH = re.compile(
    rf"post(?!erior|[ _-]?op)|gado|(?<![a-z]){_AGENT}|{_WRITTEN}"
    r"|(?<![a-z])(?:p[oó]s|i\.?v)(?![a-z])"
    r"|(?<![a-z])c\+|\+ ?[ck](?![a-z])|(?<![a-z\d])w(?:/ ?c(?:on)?|[ _]con)(?![a-z])"
)
#: What is typed into a header's field for the agent where none was given.
_NONE = {"", "-", "NA", "N/A", "NIL", "NO", "NONE"}


def names_agent(name: str) -> bool:
    """Whether a series' name, in lower case, says that it was measured after contrast agent."""
    return bool(_WITH.search(_WITHOUT.sub(" ", name)))


def is_agent(field: str) -> bool:
    """Whether the text of ContrastBolusAgent is that of an agent."""
    return field.strip().upper() not in _NONE
