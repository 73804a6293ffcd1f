"""The kernel provisioner through which any Jupyter client gets warm kernels."""

from __future__ import annotations

import asyncio
import io
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from jupyter_client.connect import KernelConnectionInfo, port_names
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from jupyter_client.localinterfaces import is_local_ip
from jupyter_client.manager import KernelManager
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner
from traitlets import Dict, Float, List, Unicode

from course.kernels import CAN_FORK, IDLE, PRELOADED
from course.kernels.isolation import isolation
from course.kernels.meeting import new_sockets
from course.kernels.sandbox import NotSandboxed, Sandbox, kernel_variables, limited_command
from course.kernels.streams import opened

if TYPE_CHECKING:
    from course.kernels.asking import ForkedProcess

Kind = Literal["warm", "fresh"]

SOON = 2.0  # seconds in which a kernel usually has begun to listen, or has ended

GROUP = KernelProvisionerFactory.GROUP_NAME
VARIABLE = "JUPYTER_DEFAULT_PROVISIONER_NAME"
NAMES: dict[Kind, str] = {"warm": "course-warm", "fresh": "local-provisioner"}
ENTRY_POINT = EntryPoint(NAMES["warm"], "course.kernels.provisioner:WarmProvisioner", GROUP)

# What a kernel can be forked with; anything else is for ``subprocess.Popen``.
UNDERSTOOD = {"env", "cwd", "stdin", "stdout", "stderr", "kernel_id", "extra_arguments"}


def use_kernels(kind: Kind) -> None:
    """Start kernels of this kind from now on, where their kernelspec does not say otherwise.

    That holds for this process.
    """
    _factory().default_provisioner_name = NAMES[kind]


def put_in_sandbox(manager: KernelManager, sandbox: Sandbox, kind: Kind = "warm") -> None:
    """Have the kernels that a kernel manager will start be in a sandbox, or not start.

    Fresh ones are forked, too, from a parent that has imported no module for them. In a
    kernelspec's file, ``metadata`` says the same as is set here.
    """
    _factory()
    specification: Any = manager.kernel_spec
    specification.metadata["kernel_provisioner"] = {
        "provisioner_name": NAMES["warm"],
        "config": {
            "sandbox": sandbox._asdict(),
            "modules": list(PRELOADED) if kind == "warm" else [],
        },
    }


def _factory() -> Any:
    """Return what makes provisioners; it knows ours, also if this course is not installed."""
    factory = KernelProvisionerFactory.instance()
    factory.provisioners.setdefault(ENTRY_POINT.name, ENTRY_POINT)
    return factory


def provisioner_variables(kind: Kind) -> dict[str, str]:
    """Return the variables with which another process starts kernels of this kind.

    None where it would not find the provisioner, because this course was installed before it
    had one.
    """
    installed = kind == "fresh" or entry_points(group=GROUP, name=NAMES[kind])
    return {VARIABLE: NAMES[kind]} if installed else {}


class _Command(NamedTuple):
    """The parts of a command line that runs ipykernel."""

    options: list[str]  # the interpreter's
    arguments: list[str]  # ipykernel's


def _parse(command: Sequence[str]) -> _Command | None:
    """Return the parts of a command line, if it runs ipykernel in our own interpreter."""
    ours = re.fullmatch(r"python(3(\.\d+)?)?", command[0]) or command[0] == sys.executable
    if not ours or "-m" not in command:
        return None
    module = command.index("-m") + 1
    options = list(command[1 : module - 1])
    if command[module] != "ipykernel_launcher" or not all(o.startswith("-") for o in options):
        return None
    return _Command(options, list(command[module + 1 :]))


class WarmProvisioner(LocalProvisioner):
    """Forks kernels from a warm parent; starts them as usual where that cannot be.

    Only kernels of ipykernel in this interpreter are forked. They are reached through sockets in
    a folder of their own, so that no two of them can meet on a port.

    With a sandbox, a kernel is in it or does not start; what that holds back on this machine,
    ``isolation`` tells.
    """

    modules = List(Unicode(), list(PRELOADED), help="What the parent imports.").tag(config=True)
    idle = Float(IDLE, help="Seconds until a parent ends that nobody asks.").tag(config=True)
    sandbox = Dict(
        help="The fields of a course.kernels.sandbox.Sandbox that kernels run in; none if empty."
    ).tag(config=True)

    _sockets: Path | None = None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Prepare the launch as usual, but for the transport."""
        if CAN_FORK and _parse(self.kernel_spec.argv):
            self._choose_sockets()
        return await super().pre_launch(**kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork the kernel, or launch it as usual where it need not be in a sandbox.

        Raises:
            NotSandboxed: when it was to be in a sandbox, and cannot.
        """
        try:
            return await self._launch(cmd, **kwargs)
        except NotSandboxed:
            await self.cleanup()
            raise

    async def _launch(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        sandbox = Sandbox(**self.sandbox) if self.sandbox else None
        parsed = _parse(cmd)
        given = {name for name, value in kwargs.items() if value is not None}
        folder = Path(kwargs.get("cwd") or Path.cwd())
        if sandbox:
            _check(sandbox, cmd, given, folder)
            for name in ("stdout", "stderr"):  # ours are not for it to write to, or to cut
                kwargs[name] = kwargs.get(name) or subprocess.DEVNULL
        if parsed is None or given - UNDERSTOOD:
            return await super().launch_kernel(cmd, **kwargs)
        environment = dict(kwargs.get("env") or os.environ) | {"JPY_PARENT_PID": str(os.getpid())}
        if not CAN_FORK:
            say_once(f"kernels start cold, because {sys.platform} cannot fork them safely.")
            if sandbox:
                say_once(isolation().sentence)
                cmd = limited_command(sandbox, cmd[0], parsed.options, parsed.arguments)
                kwargs["env"] = kernel_variables(sandbox, environment)
            return await super().launch_kernel(cmd, **kwargs)
        from course.kernels.asking import Confinement, NoWarmKernel, fork_kernel

        confinement = None
        if sandbox:
            found = isolation()
            if found.level != "full":
                say_once(found.sentence)
            if self._sockets is None:
                raise NotSandboxed(
                    "A kernel in a sandbox is reached through a folder that it is given: choose"
                    " neither a transport nor ports for it."
                )
            manager: Any = self.parent
            confinement = Confinement(sandbox, found.way, manager.connection_file)
        with opened(kwargs) as (streams, ends):
            try:
                process = await asyncio.to_thread(
                    fork_kernel,
                    cmd,
                    *parsed,
                    environment,
                    folder,
                    streams,
                    self._sockets,
                    modules=self.modules,
                    idle=self.idle,
                    confinement=confinement,
                )
            except NoWarmKernel as reason:
                if sandbox:
                    raise NotSandboxed(
                        f"No kernel could be put into a sandbox, because none is warm: {reason}."
                    ) from reason
                say_once(f"kernels start cold, because no warm one could be had: {reason}")
                return await super().launch_kernel(cmd, **kwargs)
            vars(process).update(ends)
        self.process = process  # type: ignore[assignment]  # for what Popen does here, it will do
        await self._wait_for_sockets()
        self.pid = self.pgid = process.pid
        self.cwd = folder
        return self.connection_info

    async def shutdown_requested(self, restart: bool = False) -> None:
        """Wait until the kernel has ended; whoever asked it to looks only every 0.1 s."""
        await self._wait_for_end()

    async def kill(self, restart: bool = False) -> None:
        """Kill the kernel as usual, and wait likewise."""
        await super().kill(restart)
        await self._wait_for_end()

    async def _wait_for_end(self) -> None:
        if process := self.process:
            with suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(process.wait, SOON)

    async def cleanup(self, restart: bool = False) -> None:
        """Remove the folder of the sockets, after the last kernel that used it."""
        await super().cleanup(restart)
        if self._sockets is not None and not restart:
            shutil.rmtree(self._sockets, ignore_errors=True)

    async def _wait_for_sockets(self) -> None:
        """Let the kernel make its sockets: who finds none looks again after 0.1 to 0.2 s only."""
        manager: Any = self.parent
        end = time.monotonic() + SOON
        if self._sockets is not None:
            ports = [getattr(manager, name) for name in port_names]
            awaited = [Path(f"{manager.ip}-{port}") for port in ports]
            while not all(map(Path.exists, awaited)) and time.monotonic() < end:
                if await self.poll() is not None:
                    return
                await asyncio.sleep(0.002)

    def _choose_sockets(self) -> None:
        """Have client and kernel meet in a new folder, unless the client has chosen an address."""
        manager: Any = self.parent
        if manager.transport != "tcp" or manager.shell_port or not is_local_ip(manager.ip):
            return
        try:
            folder = new_sockets()
        except OSError:
            return
        self._sockets = folder
        manager.transport, manager.ip, manager.cache_ports = "ipc", str(folder / "s"), False


def start_parent(environment: Mapping[str, str], *, sandboxed: bool) -> bool:
    """Start the parent of kernels with these variables, where there is none yet; tell whether.

    It goes on importing when this returns.
    """
    if not CAN_FORK:
        return False
    from course.kernels import asking

    with suppress(NoSuchKernel):  # whoever wants one will say so
        usual = _parse(KernelSpecManager().get_kernel_spec("python3").argv)
        if sandboxed:
            return asking.warm_up([], environment, neutral=True)
        if usual:
            return asking.warm_up(usual.options, environment, neutral=False)
    return False


def start_program(
    program: str, environment: Mapping[str, str], folder: Path, **streams: Any
) -> ForkedProcess | subprocess.Popen[bytes]:
    """Start a module as a program, where possible from the warm parent of sandboxed kernels.

    Args:
        program: the module's name.
        environment: all variables of the process.
        folder: its working directory.
        streams: ``stdin``, ``stdout`` and ``stderr``, as ``subprocess.Popen`` takes them.
    """
    command = [sys.executable, "-m", program]
    if CAN_FORK:
        from course.kernels.asking import NoWarmKernel, fork_kernel

        with suppress(NoWarmKernel), opened(streams) as (descriptors, ends):
            process = fork_kernel(
                command,
                [],
                [],
                environment,
                folder,
                descriptors,
                None,
                program=program,
                neutral=True,
            )
            vars(process).update(ends)
            return process
    return subprocess.Popen(command, env=dict(environment), cwd=folder, **streams)


def start_helper(
    program: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    module: str,
    *,
    aside: bool = False,
    **streams: Any,
) -> ForkedProcess | subprocess.Popen[bytes]:
    """Start a module as a program that looks after runs, where possible by a fork.

    It has to end when its standard input does.

    Args:
        program: the module's name.
        arguments: of its command line.
        environment: all variables of the process.
        folder: its working directory.
        module: what it will need; the parent of such forks has imported it, and has had its
            function ``prepare``, if there is one, do what only the first would need.
        aside: whether that parent, if it is new, leaves a processor to another one's imports.
        streams: ``stdin``, ``stdout`` and ``stderr``, as ``subprocess.Popen`` takes them.
    """
    command = [sys.executable, "-P", "-m", program, *arguments]
    if CAN_FORK:
        from course.kernels.asking import NoWarmKernel, fork_helper

        with suppress(NoWarmKernel), opened(streams) as (descriptors, ends):
            process = fork_helper(
                command, program, arguments, environment, folder, descriptors, module, aside=aside
            )
            for name, end in ends.items():  # buffered, as Popen's are
                own: Any = end
                kind = io.BufferedReader if end.readable() else io.BufferedWriter
                setattr(process, name, kind(own))
            return process
    return subprocess.Popen(
        command, env=dict(environment), cwd=folder, start_new_session=True, **streams
    )


def _check(sandbox: Sandbox, command: Sequence[str], given: set[str], folder: Path) -> None:
    """Raise NotSandboxed for what cannot be had in a sandbox."""
    if _parse(command) is None:
        raise NotSandboxed("Only kernels of ipykernel in this Python can be put into a sandbox.")
    if others := sorted(given - UNDERSTOOD):
        raise NotSandboxed(f"A kernel in a sandbox cannot be started with: {', '.join(others)}.")
    if not folder.resolve().is_relative_to(Path(sandbox.folder).resolve()):
        raise NotSandboxed(f"A kernel works inside its sandbox, and {folder} is not in there.")


@cache
def say_once(sentence: str) -> None:
    """Say a sentence on stderr, the first time in this process."""
    print(f"course: {sentence}", file=sys.stderr)
