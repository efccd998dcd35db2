"""The description of the interface as a page: plain HTML, which loads nothing."""

from __future__ import annotations

from html import escape
from typing import Any, Final

_STYLE: Final = (
    "body{font:16px sans-serif;max-width:50em;margin:2em auto;padding:0 1em}td{padding:.2em 1em .2em 0}"
)


def page(described: dict[str, Any]) -> str:
    """The page.

    Args:
        described: The OpenAPI document.
    """
    about = described["info"]
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        f"<title>{escape(about['title'])}</title><style>{_STYLE}</style>",
        f"<h1>{escape(about['title'])} {escape(about['version'])}</h1>",
        f"<p>{escape(about['description'])} The same for programs: <code>/openapi.json</code>.",
    ]
    for path, methods in described["paths"].items():
        parts += [_operation(path, method, does) for method, does in methods.items()]
    schemas = described.get("components", {}).get("schemas", {})
    parts += [_schema(name, schema) for name, schema in schemas.items()]
    return "\n".join(parts)


def _operation(path: str, method: str, does: dict[str, Any]) -> str:
    rows = [
        f"<tr><td>{escape(status)}<td>{_answer(answer)}"
        for status, answer in sorted(does["responses"].items())
    ]
    body = does.get("requestBody", {})
    takes = f"<p>Body: {escape(body['description'])} ({escape(', '.join(body['content']))})" if body else ""
    return (
        f"<h2><code>{escape(method.upper())} {escape(path)}</code></h2>"
        f"<p>{escape(does.get('description', ''))}{takes}<table>{''.join(rows)}</table>"
    )


def _answer(answer: dict[str, Any]) -> str:
    schemas = [content.get("schema", {}) for content in answer.get("content", {}).values()]
    names = [schema["$ref"].rpartition("/")[2] for schema in schemas if "$ref" in schema]
    return ", ".join(f'<a href="#{escape(name)}">{escape(name)}</a>' for name in names) or escape(
        ", ".join(answer.get("content", {})) or answer.get("description", "")
    )


def _schema(name: str, schema: dict[str, Any]) -> str:
    rows = [
        f"<tr><td><code>{escape(key)}</code><td>{escape(_kind(value))}"
        for key, value in schema.get("properties", {}).items()
    ]
    about = escape(schema.get("description", ""))
    return f'<h3 id="{escape(name)}">{escape(name)}</h3><p>{about}<table>{"".join(rows)}</table>'


def _kind(value: dict[str, Any]) -> str:
    if "$ref" in value:
        return str(value["$ref"].rpartition("/")[2])
    if "anyOf" in value:
        return " or ".join(_kind(each) for each in value["anyOf"])
    if value.get("type") == "array":
        return f"list of {_kind(value['items'])}"
    return str(value.get("type", "anything"))
