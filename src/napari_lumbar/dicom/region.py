"""Which part of the spine a series shows, by its header. Pure."""

from __future__ import annotations

import re

from .codes import Oddity
from .headers import SliceHeader

_LUMBAR_WORDS = re.compile(r"lumb|sacr|(?<![a-z])(lws|l[ _-]?s(p|pine)?)(?![a-z])")
_OTHER_WORDS = re.compile(r"cerv|thor|(?<![a-z])(hws|bws|neck|[ct][ _-]?sp(ine)?)(?![a-z])")


def is_elsewhere(header: SliceHeader) -> bool:
    """Whether a header names another region than the lumbar spine; its name outweighs the part."""
    if _LUMBAR_WORDS.search(header.own_name):
        return False
    return bool(_OTHER_WORDS.search(header.own_name)) or Oddity.BODY_PART in header.oddities
