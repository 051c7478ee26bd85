"""The options of a sample, which `sample` and `send` have in common."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal, get_type_hints

import typer

from handler.callback.outcome import REVIEW_OUTCOMES
from handler.failure_codes import CODES


class NotSampledError(ValueError):
    """Options for which there is no sample. The message says which are possible."""


@contextlib.contextmanager
def chosen_options() -> Iterator[None]:
    """Options for which there is no sample as an error of usage."""
    try:
        yield
    except NotSampledError as error:
        raise typer.BadParameter(str(error)) from error


def states(incomplete: str) -> list[str]:
    """To complete a command line."""
    return [state for state in REVIEW_OUTCOMES if state.startswith(incomplete)]


def codes(incomplete: str) -> list[tuple[str, str]]:
    """The same for codes of failures, each with what follows from it."""
    return [(code, why) for code, (_, why) in CODES.items() if code.startswith(incomplete)]


@dataclass(frozen=True)
class SampleOptions:
    """Each field is an option of the command line."""

    state: Annotated[
        str | None,
        typer.Option(
            help="How it ended: Success, Failed, Cancel; or that it did not: Submitted, Running, "
            "Pause. Without it Success, or Failed where there is a --code.",
            autocompletion=states,
            show_default=False,
        ),
    ] = None
    code: Annotated[
        str | None,
        typer.Option(help="Code of the failure.", autocompletion=codes, show_default=False),
    ] = None
    message: Annotated[str | None, typer.Option(help="Message.", show_default=False)] = None
    partial: Annotated[
        bool,
        typer.Option("--partial", help="A Success of which a part failed (with --code)."),
    ] = False
    format: Annotated[
        Literal["xml", "json"] | None,
        typer.Option(help="Default: xml; json for a review.", show_default=False),
    ] = None
    workflow: Annotated[bool, typer.Option("--workflow", help="A job that a workflow started.")] = (
        False
    )
    simple: Annotated[bool, typer.Option("--simple", help="A review in its Simple form.")] = False
    job_id: Annotated[
        str | None,
        typer.Option(help="JobId, RunId or trace_id; default: a new one.", show_default=False),
    ] = None
    bucket: Annotated[str, typer.Option(help="Bucket of input and output.")] = "test-1250000000"
    region: Annotated[str, typer.Option(help="Region of the bucket.")] = "ap-chongqing"
    object: Annotated[
        str | None,
        typer.Option(help="Key of the input; default: the tag's own.", show_default=False),
    ] = None
    user_data: Annotated[
        str | None, typer.Option(help="UserData of the job.", show_default=False)
    ] = None
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            allow_from_autoenv=False,
            metavar="PATH=VALUE",
            help="Put a value at a dotted path below JobsDetail (WorkflowExecution of a run, the "
            "whole of a Simple review), such as Input.Object=a.mp4 or Tasks.0.State=Failed; an "
            "empty VALUE empties it. May be given several times.",
            show_default=False,
        ),
    ] = None

    @property
    def end(self) -> str:
        """The State of the callback."""
        return self.state or ("Failed" if self.code and not self.partial else "Success")


def with_sample_options(command: Callable[..., None]) -> Callable[..., None]:
    """A command with the options of a sample in place of its parameter `options`."""

    @functools.wraps(command)
    def run(**given: Any) -> None:  # as Typer parsed them, each of its option's own type
        chosen = {field.name: given.pop(field.name) for field in fields(SampleOptions)}
        command(**given, options=SampleOptions(**chosen))

    hints = get_type_hints(SampleOptions, include_extras=True)
    own_parameters = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=hints[field.name],
        )
        for field in fields(SampleOptions)
    ]
    own = inspect.signature(command, eval_str=True).parameters.values()
    parameters = [
        *(
            parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for parameter in own
            if parameter.name != "options"
        ),
        *own_parameters,
    ]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # Typer reads it
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run
