"""Who may see and use the console, and what its pages may do in a browser."""

from __future__ import annotations

import hmac
import secrets

from flask import Flask, Response, abort, request

from ci_callback.devserver.loopback import is_foreign, is_own_host

CSRF_FIELD = "csrf"

MAX_BYTES = 64 * 1024
"""Of a form."""

FORMS = {"actions.edited": 4 * 1024 * 1024}
"""Forms that are larger: a body that was edited, of which each character may take nine bytes."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def install(app: Flask, port: int) -> None:
    """Guard every route of the application."""
    token = secrets.token_urlsafe(32)
    app.secret_key = secrets.token_bytes(32)
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BYTES,
        SESSION_COOKIE_NAME="console",
        SESSION_COOKIE_SAMESITE="Strict",
    )

    @app.before_request
    def refuse_strangers() -> None:
        if not is_own_host(request.headers.get("Host", ""), port):
            abort(403, "the console answers only under its own loopback address")
        if request.method in ("GET", "HEAD"):
            return
        request.max_content_length = FORMS.get(request.endpoint or "", MAX_BYTES)
        request.max_form_memory_size = request.max_content_length
        headers = request.headers
        if is_foreign(headers.get("Origin"), headers.get("Sec-Fetch-Site"), port):
            abort(403, "a page of another site sent this")
        if not hmac.compare_digest(request.form.get(CSRF_FIELD, "").encode(), token.encode()):
            abort(403, "the form is older than the server: reload the page, then send it again")

    @app.after_request
    def confine(response: Response) -> Response:
        response.headers.update(HEADERS)
        return response

    @app.context_processor
    def form_token() -> dict[str, str]:
        return {"csrf_field": CSRF_FIELD, "csrf_token": token}
