"""What the server understands and says, as OpenAPI 3.1; requests are checked by the same fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rag import __version__
from rag.output.json_lines import schema
from rag.serving.fields import DATE, FILLED, Field
from rag.settings import RetrievalSettings

PROBLEM = "application/problem+json"
LONGEST_NAME = 4096  # characters of a document's name: the longest path Linux opens

_K = Field("k", "integer", "How many passages to list.", low=1, high=1000)
_FILTERS = (
    Field("after", "string", "Only documents dated on or after this day.", pattern=DATE),
    Field("before", "string", "Only documents dated before this day.", pattern=DATE),
    Field("inside", "string", "Only documents whose path fits this glob, like *.pdf.", low=1),
)
_AS_OF = Field("as_of", "string", "Answer as things stood then: nothing dated later.", pattern=DATE)
SHOW = (
    Field("document", "string", "Its id or path, or a name that fits one alone.", True, 1, LONGEST_NAME),
    Field("line", "integer", "The line wanted, from 1.", low=1, high=10**9),
    Field("page", "integer", "The page wanted, or the line's page, from 1.", low=1, high=10**9),
    Field("start", "integer", "The first character wanted, from 0; goes before line.", high=10**9),
    Field("end", "integer", "One past the last character wanted.", high=10**9),
    Field("context", "integer", "Lines before and after what is wanted; 5 unless told.", high=10_000),
)


def ask_fields(settings: RetrievalSettings) -> tuple[Field, ...]:
    """What POST /ask takes."""
    return (_text("question", "What to ask.", settings), _K, *_FILTERS, _AS_OF)


def search_fields(settings: RetrievalSettings) -> tuple[Field, ...]:
    """What POST /search takes."""
    return (_text("query", "What to look for, in words or as a question.", settings), _K, *_FILTERS)


def _text(name: str, description: str, settings: RetrievalSettings) -> Field:
    return Field(name, "string", description, True, 1, settings.max_question_chars, FILLED)


_VERIFY = {
    "type": "object",
    "required": ["answers"],
    "additionalProperties": False,
    "properties": {
        "answers": {
            "type": "array",
            "description": "Answers as /ask gave them.",
            "items": {
                "type": "object",
                "required": ["citations"],
                "properties": {
                    "citations": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["document", "sha256", "start", "end", "quote", "quote_sha256"],
                            "properties": {
                                "document": {"type": "string"},
                                "sha256": {"type": "string"},
                                "start": {"type": "integer", "minimum": 0},
                                "end": {"type": "integer", "minimum": 1},
                                "quote": {"type": "string"},
                                "quote_sha256": {"type": "string"},
                            },
                        },
                    }
                },
            },
        }
    },
}
_HEALTH = {
    "type": "object",
    "required": ["status", "version", "store", "n_documents", "n_passages", "n_waiting", "problem"],
    "properties": {
        "status": {
            "enum": ["ok", "behind"],
            "description": "behind: a newer generation was committed and cannot be opened.",
        },
        "version": {"type": "string"},
        "store": {"$ref": "#/components/schemas/Store"},
        "n_documents": {"type": "integer", "minimum": 0},
        "n_passages": {"type": "integer", "minimum": 0},
        "n_waiting": {"type": "integer", "minimum": 0, "description": "Requests being answered or waiting."},
        "problem": {"type": ["string", "null"], "description": "Why it is behind."},
    },
}
_PROBLEM = {
    "type": "object",
    "description": "What was wrong (RFC 9457), and what to do.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"const": "about:blank"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "hint": {"type": "string", "description": "The next step."},
    },
}
_SAYS = {
    400: "The body is no JSON object.",
    401: "The token is missing or not the right one.",
    403: "The request comes from a page of another origin.",
    404: "There is no such document, line or page.",
    413: "The body is too long.",
    415: "The body is not called application/json.",
    421: "The Host header does not name this server.",
    422: "A field is missing, unknown or not as described.",
    500: "A defect of the server.",
    503: "Too many requests wait, or the store cannot be read; Retry-After says when to come back.",
    504: "The time limit ran out.",
}
_ANYWHERE = (403, 421, 422, 500, 503, 504)


def document(settings: RetrievalSettings, *, with_token: bool) -> dict[str, Any]:
    """The whole description; ``with_token`` says that a bearer token is asked for."""
    problems = (*_ANYWHERE, 401) if with_token else _ANYWHERE

    def operation(
        name: str,
        summary: str,
        answer: dict[str, Any],
        *more: int,
        kind: str = "application/json",
        **rest: Any,
    ) -> dict[str, Any]:
        told = {
            str(status): {
                "description": _SAYS[status],
                "content": {PROBLEM: {"schema": _ref("Problem")}},
            }
            for status in sorted((*problems, *more))
        }
        done = {"200": {"description": summary, "content": {kind: {"schema": answer}}}}
        return {"operationId": name, "summary": summary, "responses": done | told} | rest

    bodies = (400, 413, 415)
    checks = {
        "type": "object",
        "required": ["checks"],
        "properties": {"checks": {"type": "array", "items": _ref("Verify")}},
    }
    paths: dict[str, Any] = {
        "/ask": {
            "post": operation(
                "ask",
                "An answer in the documents' own words, with citations",
                _ref("Answer"),
                *bodies,
                requestBody=_body(_object(ask_fields(settings))),
            )
        },
        "/search": {
            "post": operation(
                "search",
                "The passages nearest to a query",
                _ref("Search"),
                *bodies,
                requestBody=_body(_object(search_fields(settings))),
            )
        },
        "/show": {
            "get": operation(
                "show",
                "Lines of a document of the store, as it was indexed",
                _ref("Source"),
                404,
                parameters=[_parameter(field) for field in SHOW],
            )
        },
        "/verify": {
            "post": operation(
                "verify",
                "Whether citations of earlier answers still stand; only files of the store are read",
                checks,
                *bodies,
                requestBody=_body(_VERIFY),
            )
        },
        "/sources": {"get": operation("sources", "The documents of the store", _ref("Sources"))},
        "/health": {"get": operation("health", "Whether questions are answered, and from what", _HEALTH)},
        "/openapi.json": {"get": operation("openapi", "This description", {"type": "object"})},
        "/": {
            "get": operation("page", "A page to ask and read in", {"type": "string"}, kind="text/html")
            | {"security": []}
        },
    }
    components: dict[str, Any] = {"schemas": _schemas()}
    security: dict[str, Any] = {}
    if with_token:
        security["security"] = [{"token": []}]
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "rag",
            "version": __version__,
            "summary": "Answers questions only in the words of your documents.",
            "description": "Every quotation stands in its file, character for character. `weak` is the "
            "nearest evidence, which may not answer; `abstained` says that the documents do not answer. "
            "Positions count characters (Unicode code points) of the decoded document, from 0, the end not "
            "included.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": components,
        **security,
    }


def _schemas() -> dict[str, Any]:
    """The package's own schemas as components, their definitions beside them."""
    made: dict[str, Any] = {"Problem": _PROBLEM}
    for name in ("answer", "search", "verify", "show", "sources"):
        whole = schema(name)
        del whole["$schema"]
        made |= whole.pop("$defs", {})
        made[whole["title"]] = whole
    made["Store"] = made["Search"]["properties"]["store"]
    moved: dict[str, Any] = _moved(made)
    return moved


def _moved(value: Any) -> Any:
    """The value with references into a schema's own definitions led to the components."""
    if isinstance(value, dict):
        return {
            key: inner.replace("#/$defs/", "#/components/schemas/") if key == "$ref" else _moved(inner)
            for key, inner in value.items()
        }
    return [_moved(inner) for inner in value] if isinstance(value, list) else value


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(fields: Sequence[Field]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": [field.name for field in fields if field.required],
        "additionalProperties": False,
        "properties": {field.name: field.schema() for field in fields},
    }


def _body(content: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": content}}}


def _parameter(field: Field) -> dict[str, Any]:
    made = field.schema()
    return {
        "name": field.name,
        "in": "query",
        "required": field.required,
        "description": made.pop("description"),
        "schema": made,
    }
