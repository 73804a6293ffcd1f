"""The command `course`."""

from __future__ import annotations

import datetime
import shlex
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from course.imports import uncollected
from course.limits import MEMORY, SECONDS, address, memory_size, not_empty, seconds
from utils.errors import CourseError
from utils.parameters import shortened

if TYPE_CHECKING:
    from course.kernels.provisioner import Kind


kernel_option = click.option(
    "--kernel",
    type=click.Choice(["warm", "fresh"]),
    default="warm",
    show_default=True,
    help="Fork kernels that have TensorFlow in memory, or start ordinary ones.",
)


def checked(words: str, read: Callable[[str], Any]) -> Callable[..., Any]:
    """Return a callback that gives what ``read`` makes of an option, or says what it should be."""

    def callback(context: click.Context, option: click.Parameter, text: str | None) -> Any:
        value = None if text is None else read(text)
        if text is not None and value is None:
            given = shortened(shlex.quote(text))
            raise CourseError(f"{option.opts[0]} {given} should be {words}.")
        return value

    return callback


seconds_option = partial(click.option, metavar="S", callback=checked(SECONDS, seconds))
memory_option = partial(click.option, metavar="SIZE", callback=checked(MEMORY, memory_size))
scheduler_option = click.option(
    "--scheduler",
    metavar="ADDRESS",
    callback=checked("an address such as tcp://host:8786", address),
    help="A Dask scheduler, such as tcp://host:8786, to run on.",
)


class _Path(click.Path):
    """A path that is not empty: pathlib takes an empty one for the folder where it works."""

    def __init__(self, **options: Any) -> None:
        super().__init__(path_type=Path, **options)

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if value == "":
            name = param.opts[0] if param.opts[0].startswith("-") else param.make_metavar(ctx)
            raise CourseError(f"{name} '' should be the name of a file or folder.")
        return super().convert(value, param, ctx)


class _Group(click.Group):
    """Turns the course's own errors into one sentence and exit status 1."""

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except CourseError as error:
            raise click.ClickException(str(error)) from None
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            raise SystemExit(130) from None


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tape-to-mlp")
def main() -> None:
    """From the first tf.GradientTape to a training loop of your own.

    Learners need one command, `course lab`. The others are for those who run and look after
    the course.
    """
    for stream in (sys.stdout, sys.stderr):
        getattr(stream, "reconfigure", lambda **_: None)(errors="replace")


class _Run(click.Command):
    """Says how a parameter is written to those who write NAME=VALUE."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        for option, name, value in zip(args, args[1:], [*args[2:], ""], strict=False):
            if option == "-p" and ("=" in name or value == "-p" or value.startswith("--")):
                name, _, value = name.partition("=")
                raise click.UsageError(
                    "A parameter is its name, a space and its value: -p"
                    f" {shortened(name)} {shortened(value) or 'VALUE'}",
                    ctx,
                )
        return super().parse_args(ctx, args)


def by_name(
    context: click.Context, option: click.Parameter, pairs: tuple[tuple[str, str], ...]
) -> dict[str, str]:
    """Return the parameters by their names, each of which may be given once."""
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise CourseError(f"-p {shortened(name)} is given twice: keep one of them.")
    return dict(pairs)


@main.command(cls=_Run)
@click.argument("lessons", nargs=-1, metavar="[LESSON]...")
@click.option(
    "-p",
    "parameters",
    nargs=2,
    multiple=True,
    metavar="NAME VALUE",
    callback=by_name,
    help="Set a parameter of the lessons, as in `-p epochs 1`. May be repeated.",
)
@click.option(
    "--out",
    type=_Path(file_okay=False),
    default=Path("build", "lessons"),
    show_default=True,
    metavar="DIR",
    help="Where the executed lessons go.",
)
@click.option(
    "--update",
    is_flag=True,
    help="Also refresh the outputs stored in the lessons, from the real data only.",
)
@kernel_option
def run(
    lessons: tuple[str, ...],
    parameters: dict[str, str],
    out: Path,
    update: bool,
    kernel: Kind,
) -> None:
    """Run lessons from their first cell to their last.

    LESSON is a lesson's number (5), its name (05_fashion_mnist_mlp) or the path of a notebook;
    without one, all lessons run. A parameter must be one of each LESSON named; without names it
    goes to the lessons that have it. DIR/index.html shows what came out.

    The exit status is 0 when every lesson ran to its end, 1 when one did not.
    """
    with uncollected():
        from course.running import run_lessons

    if not run_lessons(lessons, parameters, out, update=update, kernel=kernel):
        raise SystemExit(1)


@main.command()
@click.argument("spec", type=_Path(dir_okay=False), metavar="SPEC.yaml")
@click.option(
    "--out",
    type=_Path(file_okay=False),
    required=True,
    metavar="DIR",
    help="Where everything goes; an interrupted batch continues there.",
)
@click.option("--dry-run", is_flag=True, help="Only print the runs and an estimate of the time.")
@click.option("--only", type=click.Choice(["failed"]), help="Repeat the runs that failed.")
@click.option(
    "--workers", type=click.IntRange(1), metavar="N", help="Runs at once. [default: processors]"
)
@seconds_option("--timeout", help="Seconds a run may take.")
@memory_option("--memory", help="What a run may take, such as 2GB.")
@click.option(
    "--retries",
    type=click.IntRange(0),
    metavar="N",
    help="Repetitions of a run whose kernel died or did not start. [default: 1]",
)
@scheduler_option
@kernel_option
def batch(spec: Path, dry_run: bool, only: str | None, **options: Any) -> None:
    """Run lessons over a grid of parameters, and make one page of the results.

    SPEC.yaml names lessons and, as far as wanted, `parameters` for all runs, a `grid` of lists of
    values, `seeds`, single `runs`, and the limits of a run: `timeout` in seconds, `memory`,
    `retries`. The whole file is checked before anything runs.

    After an interruption the same command continues: what has finished is not repeated, unless
    the lesson, its parameters, utils, the data or the locked versions have changed. DIR gets
    index.html, results.csv, journal.jsonl and the executed notebooks in runs/.

    The exit status is 0 when every run ended well, 1 when one did not.
    """
    aside = False
    if not (dry_run or options["scheduler"]):
        from course.workers import pool

        aside = pool.warm_up("course.batch.lesson_run", options["workers"], options["kernel"])

    with uncollected(aside=aside):
        from course.batch.driver import Options, run_batch, show_plan

    chosen = Options(only_failed=only == "failed", aside=aside, **options)
    if dry_run:
        worked = show_plan(spec, chosen)
    else:
        worked = run_batch(spec, chosen, shlex.join(["course", *sys.argv[1:]]))
    if not worked:
        raise SystemExit(1)


class _Due(click.ParamType):
    """A moment: local time unless it names its zone, such as 2026-12-01T18:00+09:00."""

    name = "moment"

    def convert(self, value: Any, param: Any, ctx: Any) -> datetime.datetime:
        if isinstance(value, datetime.datetime):
            return value
        try:
            moment = datetime.datetime.fromisoformat(str(value)).astimezone(datetime.UTC)
        except (ValueError, OverflowError):  # also of the first and the last day that Python knows
            self.fail(f"{value} is no date and time, such as 2026-12-01T18:00.", param, ctx)
        return moment.replace(tzinfo=None)


@main.command()
@click.argument("submitted", type=_Path(file_okay=False))
@click.option(
    "--out",
    type=_Path(file_okay=False),
    required=True,
    metavar="DIR",
    help="Where everything goes; an interrupted command continues there.",
)
@click.option("--student", "students", multiple=True, metavar="S", help="Only this student.")
@click.option(
    "--assignment", "assignments", multiple=True, metavar="A", help="Only this assignment."
)
@click.option(
    "--due",
    type=(str, _Due()),
    multiple=True,
    metavar="A DATE",
    help="When an assignment is due, as in `--due 3 2026-12-01T18:00`; the gradebook keeps it.",
)
@click.option(
    "--gradebook",
    metavar="ADDRESS",
    callback=checked("an address such as sqlite:///grades.db", not_empty),
    help="SQLAlchemy's. [default: DIR/gradebook.db]",
)
@click.option(
    "--workers", type=click.IntRange(1), metavar="N", help="At once. [default: processors]"
)
@scheduler_option
@click.option(
    "--require-isolation",
    type=click.Choice(["full"]),
    help="Run nothing where learners' code cannot be isolated fully.",
)
@seconds_option(
    "--timeout", default="900", show_default=True, help="Seconds that a submission may take."
)
@seconds_option(
    "--cell-timeout",
    "cell_limit",
    default="60",
    show_default=True,
    help="Seconds that one of its cells may take.",
)
@memory_option("--memory", help="What a submission may take, such as 4GB.")
@kernel_option
def grade(
    submitted: Path,
    due: tuple[tuple[str, datetime.datetime], ...],
    **options: Any,
) -> None:
    """Grade a class: SUBMITTED/STUDENT/ASSIGNMENT/*.ipynb.

    Each submission is made gradable where it can be, run in a sandbox, and judged by a process
    that never runs the learner's code. DIR gets grades.csv, gradebook.db (nbgrader's), a page of
    feedback for every submission, and index.html about the class. What has been graded is not
    graded again, unless it was changed; marks that a person has given in nbgrader's formgrader
    stay, and reach grades.csv when the command is run again.

    The exit status is 0 when every submission has its feedback, 1 when one could not be graded for
    a reason that is not its own.
    """
    from course.catalog import find_assignments
    from course.workers import pool

    aside = False
    if not options["scheduler"] and submitted.is_dir():
        aside = pool.warm_up(
            "course.grading.job", options["workers"], options["kernel"], sandboxed=True
        )

    with uncollected(aside=aside):
        from course.grading.driver import Options, grade_class

    moments = {find_assignments([name])[0].name: moment for name, moment in due}
    chosen = Options(due=moments, **options)
    if not grade_class(submitted, chosen, shlex.join(["course", *sys.argv[1:]])):
        raise SystemExit(1)


@main.command(context_settings={"ignore_unknown_options": True})
@click.option(
    "--reset",
    metavar="NAME",
    callback=checked("the name of a lesson or an exercise", not_empty),
    help="First hand out a fresh copy of this lesson.",
)
@click.option("--prepare-only", is_flag=True, help="Do not start JupyterLab.")
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[JUPYTERLAB OPTION]...")
def lab(reset: str | None, prepare_only: bool, options: tuple[str, ...]) -> None:
    """Open JupyterLab on your own copy of the course, my_course/.

    The first time, the copy gets every lesson, without outputs, and every exercise. Later it
    gets what is new; what you have is never overwritten, and you are told what has changed in
    the course. With --reset NAME you get the course's file again, and yours stays beside it as
    NAME.before-DATE.ipynb.

    Other options, such as --no-browser or --port 8890, are passed on to JupyterLab.
    """
    from course.lab import open_lab

    raise SystemExit(open_lab(reset, prepare_only=prepare_only, options=options))


@main.command()
@click.argument("exercises", nargs=-1, metavar="[EXERCISE]...")
@click.option("--watch", is_flag=True, help="Stay, and check again after every save.")
@kernel_option
def check(exercises: tuple[str, ...], watch: bool, kernel: Kind) -> None:
    """Run your exercises and show how each problem stands, and the next step.

    EXERCISE is an exercise's number (3), its name (03_higher_order_gradients) or the path of a
    notebook; without one, the whole course is shown. Your files are never written.

    The exit status is 0 when everything asked for is solved.
    """
    from course.checking import check_exercises

    if not check_exercises(exercises, watch=watch, kernel=kernel):
        raise SystemExit(1)


@main.command()
@click.argument("names", nargs=-1, metavar="[ASSIGNMENT]...")
@click.option("--check", is_flag=True, help="Write nothing; fail where an exercise is stale.")
def release(names: tuple[str, ...], check: bool) -> None:
    """Cut the exercises from the solutions.

    Every problem is tried first: the solution has to earn full points and the blank exercise none,
    hints and points have to be there, and nothing of a solution may be left. What is not fit is
    named and not written.

    The exit status is 0 when every assignment is fit and, with --check, up to date.
    """
    from course.release import release as release_exercises

    if not release_exercises(names, check=check):
        raise SystemExit(1)


@main.command()
@click.option(
    "--out",
    type=_Path(dir_okay=False),
    default=Path("build", "tape_to_mlp.zip"),
    show_default=True,
    metavar="FILE",
    help="Where the archive goes.",
)
def bundle(out: Path) -> None:
    """Pack the course for learners into a zip file, without solutions and tests."""
    from course.bundle import write_bundle

    click.echo(f"{write_bundle(out)} files -> {out}")


@main.command()
def doctor() -> None:
    """Check that this computer can run the course.

    Each line begins with OK, or with what is wrong and what to do about it. The exit status is
    0 when nothing has to be done.
    """
    from course.doctor import examine

    if not examine():
        raise SystemExit(1)
