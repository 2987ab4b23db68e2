"""HTML files that need nothing else: templates of a package, filled in with every text escaped.

Each page carries a Content-Security-Policy that lets it load nothing from anywhere and run no script but its
own, which the policy names by its hash.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


def fill_in(package: str, template: str, **values: Any) -> str:
    """The page that a template in ``templates/`` of a package makes of these values.

    A template may extend ``page.html`` of this package. A value it names and is not given is a defect.
    """
    return _environment(package).get_template(template).render(**values)


def source_hash(text: str) -> str:
    """A style or script as a Content-Security-Policy names it.

    >>> source_hash("")
    'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
    """
    import base64
    import hashlib

    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _environment(package: str) -> Environment:
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("rag.output")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["source_hash"] = source_hash
    return environment
